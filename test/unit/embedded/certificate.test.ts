import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { it } from 'node:test';
import { makeCertificates } from '../../../packages/embedded/src/certificate.ts';

it('makes a certificate that names this machine, signed by an authority whose key is gone', () => {
  const made = makeCertificates(new Date('2026-11-22T00:00:00Z'));
  const authority = new X509Certificate(made.authority);
  const certificate = new X509Certificate(made.certificate);
  assert.ok(certificate.verify(authority.publicKey));
  assert.ok(certificate.checkIssued(authority));
  assert.ok(authority.verify(authority.publicKey));
  assert.equal(authority.ca, true);
  assert.equal(certificate.ca, false);
  assert.equal(certificate.checkHost('localhost'), 'localhost');
  assert.equal(certificate.checkIP('127.0.0.1'), '127.0.0.1');
  assert.equal(certificate.checkIP('::1'), '::1');
  assert.equal(certificate.checkHost('example.org'), undefined);
  assert.equal(new Date(certificate.validFrom).toISOString(), '2026-11-21T00:00:00.000Z');
  assert.ok(certificate.checkPrivateKey(createPrivateKey(made.key)));
});

it('writes dates from 2050 on in their longer form', () => {
  const certificate = new X509Certificate(makeCertificates(new Date('2045-01-01T00:00:00Z')).certificate);
  assert.equal(new Date(certificate.validTo).getUTCFullYear(), 2054);
});

it('makes another authority each time', () => {
  assert.notEqual(makeCertificates().authority, makeCertificates().authority);
});
