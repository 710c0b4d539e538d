// A certificate for the loopback server, so that TLS can be verified in full without a tool on the machine. A signing
// certificate is made first and its key is forgotten: nothing else can ever be signed with what a client trusts.

import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { bits, identifier, octets, sequence, set, tagged, text, time, unsignedInteger, yes } from './der.ts';

const DAY = 86_400_000;
const YEARS_10 = 3650 * DAY;

const OID = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAlternativeName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuthentication: '1.3.6.1.5.5.7.3.1',
} as const;

/** What a TLS server and its clients need, as PEM texts. */
export interface CertificateSet {
  /** The certificate clients trust. */
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

interface Subject {
  readonly name: string;
  readonly publicKey: KeyObject;
}

/** Makes a certificate for `localhost`, `127.0.0.1` and `::1`, valid for ten years. */
export function makeCertificates(now: Date = new Date()): CertificateSet {
  const authorityKeys = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const serverKeys = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const authority = { name: `athanor embedded ${randomBytes(4).toString('hex')}`, publicKey: authorityKeys.publicKey };
  const server = { name: 'localhost', publicKey: serverKeys.publicKey };
  const issue = (subject: Subject, extensions: readonly Buffer[]): string =>
    signed(toBeSigned({ subject, issuer: authority, extensions, now }), authorityKeys.privateKey);
  return {
    authority: issue(authority, authorityExtensions(authority)),
    certificate: issue(server, serverExtensions(server, authority)),
    key: serverKeys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function authorityExtensions(authority: Subject): readonly Buffer[] {
  return [
    extension(OID.basicConstraints, sequence(yes()), 'critical'),
    // keyCertSign and cRLSign: bits 5 and 6.
    extension(OID.keyUsage, bits(Buffer.from([0x06]), 1), 'critical'),
    extension(OID.subjectKeyIdentifier, octets(keyIdentifier(authority.publicKey))),
  ];
}

function serverExtensions(server: Subject, authority: Subject): readonly Buffer[] {
  const names = sequence(
    tagged(2, Buffer.from('localhost'), 'primitive'),
    tagged(7, Buffer.from([127, 0, 0, 1]), 'primitive'),
    tagged(7, Buffer.from([...Array<number>(15).fill(0), 1]), 'primitive'),
  );
  return [
    extension(OID.basicConstraints, sequence(), 'critical'),
    // digitalSignature: bit 0.
    extension(OID.keyUsage, bits(Buffer.from([0x80]), 7), 'critical'),
    extension(OID.extendedKeyUsage, sequence(identifier(OID.serverAuthentication))),
    extension(OID.subjectAlternativeName, names),
    extension(OID.subjectKeyIdentifier, octets(keyIdentifier(server.publicKey))),
    extension(OID.authorityKeyIdentifier, sequence(tagged(0, keyIdentifier(authority.publicKey), 'primitive'))),
  ];
}

interface Draft {
  readonly subject: Subject;
  readonly issuer: Subject;
  readonly extensions: readonly Buffer[];
  readonly now: Date;
}

function toBeSigned(draft: Draft): Buffer {
  const start = draft.now.getTime();
  return sequence(
    tagged(0, unsignedInteger(Buffer.from([2]))),
    unsignedInteger(Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    sequence(identifier(OID.ecdsaWithSha256)),
    distinguishedName(draft.issuer.name),
    sequence(time(new Date(start - DAY)), time(new Date(start + YEARS_10))),
    distinguishedName(draft.subject.name),
    draft.subject.publicKey.export({ type: 'spki', format: 'der' }),
    tagged(3, sequence(...draft.extensions)),
  );
}

function signed(content: Buffer, key: KeyObject): string {
  const der = sequence(content, sequence(identifier(OID.ecdsaWithSha256)), bits(sign('sha256', content, key)));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function extension(id: string, value: Buffer, weight: 'critical' | 'plain' = 'plain'): Buffer {
  return weight === 'critical'
    ? sequence(identifier(id), yes(), octets(value))
    : sequence(identifier(id), octets(value));
}

function distinguishedName(name: string): Buffer {
  return sequence(set(sequence(identifier(OID.commonName), text(name))));
}

function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();
}
