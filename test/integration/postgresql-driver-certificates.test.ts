// Who the client is and whom it trusts, where libpq finds both: certificate files, the machine's own, TLS from the first
// byte, and the password file.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { makeCertificates } from '../../packages/embedded/src/certificate.ts';
import type { PostgresOptions } from '../../src/dialects/postgresql/driver/index.ts';
import { parsePostgresUrl } from '../../src/dialects/postgresql/url.ts';
import { AuthenticationError, ConnectError, UsageError } from '../../src/errors/index.ts';
import { installedVersions, startPostgres, type TestServer } from '../servers.ts';
import { clientCertificate } from './client-certificate.ts';
import { createDriver, one } from './postgresql-driver-kit.ts';

const RULES = ['hostssl bearer all all cert', 'hostssl strict all all scram-sha-256 clientcert=verify-ca'];
const OLD = installedVersions()[0] as number;

let folder: string;
let server: TestServer;
let old: TestServer;
const urls: Record<string, string> = {};
const file = (name: string): string => join(folder, name);

function write(name: string, text: string, mode = 0o600): string {
  writeFileSync(file(name), text, { mode });
  chmodSync(file(name), mode);
  return file(name);
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ath-certificates-'));
  chmodSync(folder, 0o755);
  for (const name of ['bearer', 'stranger']) {
    const made = clientCertificate(name);
    write(`${name}.crt`, made.certificate, 0o644);
    write(`${name}.key`, made.key);
  }
  write('other-root.crt', makeCertificates().authority);
  [server, old] = await Promise.all([
    startPostgres({ tls: 'offered', accessRules: RULES, settings: { ssl_ca_file: file('bearer.crt') } }),
    startPostgres({ tls: 'offered', version: OLD }),
  ]);
  for (const name of ['bearer', 'strict', 'plain']) urls[name] = await server.role(name);
});
after(async () => {
  await Promise.all([server.stop(), old.stop()]);
  rmSync(folder, { recursive: true });
});

function optionsOf(name: string, extra: Partial<PostgresOptions> = {}): PostgresOptions {
  const parsed = parsePostgresUrl(urls[name] as string, {});
  return { ...parsed, sslMode: 'verify-full', sslRootCert: server.certificateFile, ...extra };
}

async function whoAmI(options: PostgresOptions): Promise<unknown> {
  const connection = await createDriver(options).connect();
  try {
    return await one(connection, 'select session_user::text');
  } finally {
    await connection.close();
  }
}

const bearer = () => ({ sslCert: file('bearer.crt'), sslKey: file('bearer.key') });

describe('a client certificate', () => {
  test('lets in where the server demands one, alone or beside a password', async () => {
    assert.equal(
      await whoAmI(optionsOf('bearer', { ...bearer(), password: undefined, requireAuth: ['none'] })),
      'bearer',
    );
    assert.equal(await whoAmI(optionsOf('strict', bearer())), 'strict');
  });

  test('that is missing, of somebody else or for another name is refused', async () => {
    await assert.rejects(whoAmI(optionsOf('strict')), /client certificate/);
    const strange = { sslCert: file('stranger.crt'), sslKey: file('stranger.key') };
    await assert.rejects(whoAmI(optionsOf('strict', strange)), ConnectError);
    await server.query('create role impostor login');
    await assert.rejects(
      whoAmI(optionsOf('bearer', { ...bearer(), user: 'impostor', database: 'bearer' })),
      ConnectError,
    );
  });

  test('whose key others can read, or that is not there, is not used', async () => {
    const open = write('open.key', clientCertificate('x').key, 0o644);
    await assert.rejects(
      whoAmI(optionsOf('strict', { ...bearer(), sslKey: open })),
      (error) => error instanceof ConnectError && /others/.test(error.message) && /chmod 0600/.test(error.hint ?? ''),
    );
    await assert.rejects(whoAmI(optionsOf('strict', { ...bearer(), sslKey: file('none.key') })), /cannot read sslkey/);
    await assert.rejects(
      whoAmI(optionsOf('strict', { ...bearer(), sslCert: file('none.crt') })),
      /cannot read sslcert/,
    );
  });
});

/** Connects in a process of its own with another home; gives its last line. */
function elsewhere(url: string, environment: Record<string, string>): string {
  const program = `
    import { createPostgresDriver } from ${JSON.stringify(new URL('../../src/dialects/postgresql/driver/index.ts', import.meta.url).href)};
    import { parsePostgresUrl } from ${JSON.stringify(new URL('../../src/dialects/postgresql/url.ts', import.meta.url).href)};
    try {
      const connection = await createPostgresDriver(parsePostgresUrl(process.argv[1])).connect();
      await connection.close();
      console.log('connected');
    } catch (error) {
      console.log(error.message.split('\\n')[0]);
    }`;
  const env = { PATH: process.env['PATH'] ?? '', ...environment };
  const run = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', program, url], {
    env,
    encoding: 'utf8',
  });
  return run.stdout.trim();
}

/** Connects with another home; gives `connected`, or why not. */
async function at(url: string, environment: Record<string, string>): Promise<string> {
  const { HOME } = process.env;
  process.env['HOME'] = environment['HOME'];
  try {
    await (await createDriver(parsePostgresUrl(url, environment)).connect()).close();
    return 'connected';
  } catch (error) {
    return (error as Error).message.split('\n')[0] as string;
  } finally {
    process.env['HOME'] = HOME;
  }
}

function urlWith(name: string, options: Record<string, string>): string {
  const url = new URL(urls[name] as string);
  url.search = new URLSearchParams(options).toString();
  return url.href;
}

describe('what libpq finds in the home folder', () => {
  const home = (context: TestContext, files: Record<string, string>): string => {
    const path = mkdtempSync(join(tmpdir(), 'ath-home-'));
    context.after(() => rmSync(path, { recursive: true }));
    mkdirSync(join(path, '.postgresql'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text, { mode: 0o600 });
    return path;
  };

  test('root.crt is what verify-ca, verify-full and require check against', async (context) => {
    const root = readFileSync(server.certificateFile as string, 'utf8');
    const right = home(context, { '.postgresql/root.crt': root });
    const wrong = home(context, { '.postgresql/root.crt': makeCertificates().authority });
    const none = home(context, {});
    for (const sslmode of ['verify-ca', 'verify-full', 'require']) {
      const url = urlWith('plain', { sslmode });
      assert.equal(await at(url, { HOME: right }), 'connected', sslmode);
      assert.match(await at(url, { HOME: wrong }), /TLS with/, sslmode);
      const without = await at(url, { HOME: none });
      if (sslmode === 'require') assert.equal(without, 'connected');
      else assert.match(without, /needs certificates to trust/, sslmode);
    }
    assert.equal(await at(urlWith('plain', { sslmode: 'prefer' }), { HOME: wrong }), 'connected');
  });

  test('postgresql.crt and .key are the client certificate', async (context) => {
    const own = {
      '.postgresql/postgresql.crt': readFileSync(file('bearer.crt'), 'utf8'),
      '.postgresql/postgresql.key': readFileSync(file('bearer.key'), 'utf8'),
    };
    const url = urlWith('strict', { sslmode: 'require' });
    assert.equal(await at(url, { HOME: home(context, own) }), 'connected');
    assert.match(await at(url, { HOME: home(context, {}) }), /client certificate/);
  });

  test('.pgpass has the password that nobody gave', async (context) => {
    const url = new URL(urls['plain'] as string);
    url.password = '';
    const lines = [
      '# a comment',
      'elsewhere:*:*:plain:wrong',
      `127.0.0.1:${server.port}:other:plain:wrong`,
      `127.0.0.1:${server.port}:*:plain:secret-of-plain`,
      '*:*:*:*:too late',
    ];
    url.hostname = '127.0.0.1';
    url.search = '?sslmode=disable';
    const right = home(context, { '.pgpass': lines.join('\n') });
    assert.equal(await at(url.href, { HOME: right }), 'connected');
    assert.match(await at(url.href, { HOME: home(context, {}) }), /none was given/);
    assert.match(await at(url.href, { HOME: home(context, { '.pgpass': 'broken\n*:*:*:plain\n' }) }), /none was given/);
    assert.equal(await at(url.href, { HOME: home(context, {}), PGPASSFILE: join(right, '.pgpass') }), 'connected');
    url.password = 'mistaken';
    assert.match(await at(url.href, { HOME: right }), /password authentication failed/);
    url.password = '';
    chmodSync(join(right, '.pgpass'), 0o644);
    assert.match(await at(url.href, { HOME: right }), /none was given/);
    const escaped = home(context, { '.pgpass': 'we\\:ird\\\\:*:*:plain:no\n*:*:*:plain:secret\\-of-plain' });
    assert.equal(await at(url.href, { HOME: escaped }), 'connected');
  });

  test('sslrootcert=system trusts what the machine trusts, and checks in full', async () => {
    const url = urlWith('plain', { sslrootcert: 'system' });
    const root = server.certificateFile as string;
    assert.match(elsewhere(url, { HOME: homedir() }), /TLS with/);
    assert.equal(elsewhere(url, { HOME: homedir(), NODE_EXTRA_CA_CERTS: root }), 'connected');
    assert.throws(
      () => createDriver(parsePostgresUrl(urlWith('plain', { sslrootcert: 'system', sslmode: 'verify-ca' }), {})),
      UsageError,
    );
  });
});

describe('TLS from the first byte', () => {
  test('with a server that knows it; another one is refused', async () => {
    assert.equal(await whoAmI(optionsOf('plain', { sslNegotiation: 'direct' })), 'plain');
    assert.equal(await whoAmI(optionsOf('plain', { sslNegotiation: 'direct', sslMode: undefined })), 'plain');
    const before17 = { ...parsePostgresUrl(old.url, {}), sslNegotiation: 'direct', sslMode: 'require' } as const;
    await assert.rejects(whoAmI(before17), ConnectError);
    for (const sslMode of ['disable', 'allow', 'prefer'] as const)
      assert.throws(() => createDriver(optionsOf('plain', { sslNegotiation: 'direct', sslMode })), UsageError);
  });

  test('cancel requests go the same way', async () => {
    const connection = await createDriver(optionsOf('plain', { sslNegotiation: 'direct' })).connect();
    const stop = new AbortController();
    const sleeping = one(connection, 'select pg_sleep(10)::text', [], { signal: stop.signal });
    stop.abort();
    await assert.rejects(sleeping, { code: 'ATH_CANCELLED' });
    assert.equal(await one(connection, 'select 1'), 1);
    await connection.close();
  });
});

test('channel binding that is required is required of a trusting server too', async () => {
  const trusted = optionsOf('bearer', { ...bearer(), channelBinding: 'require' });
  await assert.rejects(whoAmI(trusted), AuthenticationError);
});
