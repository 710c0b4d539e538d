import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { startTemporary } from '../../packages/embedded/src/index.ts';
import { ask } from './support.ts';

const TLS = 'SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()';

describe('TLS of the embedded server', () => {
  it('[X23] is verified in full by the URL, and a plain connection is refused', async () => {
    const server = await startTemporary({ tls: true });
    assert.deepEqual(await ask(server.url, TLS), [{ ssl: true, version: 'TLSv1.3' }]);
    const byName = server.url.replace('127.0.0.1', 'localhost');
    assert.deepEqual(await ask(byName, TLS), [{ ssl: true, version: 'TLSv1.3' }]);
    const plain = server.url.replace(/\?.*/, '?sslmode=disable');
    await assert.rejects(ask(plain, TLS), /no pg_hba.conf entry/);
    await server.stop();
  });

  it('is not trusted with the certificate of another server', async () => {
    const [one, two] = await Promise.all([startTemporary({ tls: true }), startTemporary({ tls: true })]);
    const foreign = one.url.replace(/sslrootcert=.*/, `sslrootcert=${encodeURIComponent(two.certificateFile ?? '')}`);
    await assert.rejects(ask(foreign, TLS), /certificate|self.signed|issuer/i);
    await Promise.all([one.stop(), two.stop()]);
  });

  it('takes both kinds of connection when it is offered', async () => {
    const server = await startTemporary({ tls: 'offered' });
    assert.deepEqual(await ask(server.url, TLS), [{ ssl: true, version: 'TLSv1.3' }]);
    const plain = server.url.replace(/\?.*/, '?sslmode=disable');
    assert.deepEqual(await ask(plain, TLS), [{ ssl: false, version: null }]);
    await server.stop();
  });

  it('keeps its key to itself and its signer for nothing else', async () => {
    const server = await startTemporary({ tls: true });
    const read = (...name: string[]): Buffer => readFileSync(path.join(server.dataFolder, ...name));
    const authority = new X509Certificate(read('certificate.pem'));
    const certificate = new X509Certificate(read('postgres', 'server.crt'));
    assert.ok(certificate.verify(authority.publicKey));
    assert.ok(certificate.checkIssued(authority));
    assert.equal(certificate.ca, false);
    assert.equal(statSync(path.join(server.dataFolder, 'postgres', 'server.key')).mode & 0o777, 0o600);
    await server.stop();
  });
});
