// Ways in: every authentication and every TLS mode against a real server, and what each refuses.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { once } from 'node:events';
import { connect as connectTcp, createServer, type AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { inspect } from 'node:util';
import { makeCertificates } from '../../packages/embedded/src/certificate.ts';
import { AuthenticationError, ConnectError, ServerFullError, UsageError } from '../../src/errors/index.ts';
import type { PostgresOptions } from '../../src/dialects/postgresql/driver/index.ts';
import { parsePostgresUrl } from '../../src/dialects/postgresql/url.ts';
import { startPostgres, type TestServer } from '../servers.ts';
import { createDriver, one, open, run } from './postgresql-driver-kit.ts';

const RULES = [
  'host trusting trusting all trust',
  'host clear clear all password',
  'host digest digest all md5',
  'hostssl secured secured all scram-sha-256',
  'hostnossl plainly plainly all scram-sha-256',
  'host secured,plainly secured,plainly all reject',
];

let server: TestServer;
let plain: TestServer;
/** Certificates to trust that have nothing to do with the server. */
let other: string;
const urls: Record<string, string> = {};
before(async () => {
  other = join(mkdtempSync(join(tmpdir(), 'ath-connect-')), 'other.crt');
  writeFileSync(other, makeCertificates().authority);
  [server, plain] = await Promise.all([
    startPostgres({ tls: 'offered', accessRules: RULES, maxConnections: 12 }),
    startPostgres(),
  ]);
  for (const name of ['trusting', 'clear', 'secured', 'plainly', 'scram']) urls[name] = await server.role(name);
  urls['digest'] = await server.role('digest', { encryption: 'md5' });
  urls['limited'] = await server.role('limited', { connectionLimit: 1 });
});
after(async () => {
  rmSync(dirname(other), { recursive: true });
  await Promise.all([server.stop(), plain.stop()]);
});

/** Options of a role's URL without its TLS part, so that a test says it. */
function optionsOf(name: string, extra: Partial<PostgresOptions> = {}): PostgresOptions {
  const parsed = parsePostgresUrl(urls[name] as string, {});
  return { ...parsed, sslMode: undefined, sslRootCert: server.certificateFile, ...extra };
}

async function encrypted(options: PostgresOptions): Promise<boolean> {
  const connection = await createDriver(options).connect();
  try {
    return (await one(connection, 'select ssl from pg_stat_ssl where pid = pg_backend_pid()')) as boolean;
  } finally {
    await connection.close();
  }
}

const bare = { sslRootCert: undefined };

describe('TLS', () => {
  test('without a mode TLS is taken where it is offered, verified in full', async () => {
    assert.equal(await encrypted(optionsOf('scram')), true);
    await assert.rejects(
      encrypted(optionsOf('scram', bare)),
      (error) => error instanceof ConnectError && /sslrootcert/.test(error.hint ?? ''),
    );
  });

  test('without a mode a server without TLS is accepted on this machine', async () => {
    const connection = await open(plain.url);
    assert.equal(connection.status, 'idle');
    await connection.close();
  });

  test('a mode given means what libpq says', async () => {
    const rows: readonly (readonly [string, Partial<PostgresOptions>, boolean | RegExp])[] = [
      ['scram', { sslMode: 'disable' }, false],
      ['scram', { sslMode: 'allow', ...bare }, false],
      ['secured', { sslMode: 'allow', ...bare }, true],
      ['secured', { sslMode: 'disable' }, /secured/],
      ['scram', { sslMode: 'prefer', ...bare }, true],
      ['plainly', { sslMode: 'prefer', ...bare }, false],
      ['scram', { sslMode: 'require', ...bare }, true],
      ['plainly', { sslMode: 'require', ...bare }, /plainly/],
      ['scram', { sslMode: 'require' }, true],
      ['scram', { sslMode: 'verify-ca' }, true],
      ['scram', { sslMode: 'verify-full' }, true],
      ['scram', { sslMode: 'verify-ca', ...bare }, /needs certificates to trust/],
      ['scram', { sslMode: 'verify-ca', sslRootCert: other }, /TLS with/],
      ['scram', { sslMode: 'require', sslRootCert: other }, /TLS with/],
      ['scram', { sslMode: 'prefer', sslRootCert: other }, true],
      ['scram', { sslRootCert: 'system' }, /TLS with/],
      ['scram', { sslMode: 'verify-full', sslRootCert: '/nowhere/ca.crt' }, /cannot read sslrootcert/],
    ];
    for (const [role, extra, expected] of rows) {
      const what = `${role} ${JSON.stringify(extra)}`;
      if (expected instanceof RegExp) await assert.rejects(encrypted(optionsOf(role, extra)), expected, what);
      else assert.equal(await encrypted(optionsOf(role, extra)), expected, what);
    }
  });

  test('verify-full checks the name, verify-ca does not', async () => {
    const other = { host: 'other.example.com', lookup: loopback };
    assert.equal(await encrypted(optionsOf('scram', { ...other, sslMode: 'verify-ca' })), true);
    await assert.rejects(encrypted(optionsOf('scram', { ...other, sslMode: 'verify-full' })), /other\.example\.com/);
    await assert.rejects(encrypted(optionsOf('scram', other)), ConnectError);
  });

  test('require against a server that has none fails; a Unix socket needs none', async () => {
    await assert.rejects(open(plain.url, { sslMode: 'require' }), /offers no TLS/);
    const connection = await open(plain.socketUrl, { sslMode: 'verify-full' });
    assert.equal(await one(connection, 'select inet_server_addr()'), null);
    await connection.close();
  });
});

function loopback(
  _name: string,
  options: { all?: boolean | undefined },
  done: (error: null, ...found: never[]) => void,
): void {
  const give = done as unknown as (error: null, ...found: unknown[]) => void;
  if (options.all === true) give(null, [{ address: '127.0.0.1', family: 4 }]);
  else give(null, '127.0.0.1', 4);
}

describe('authentication', () => {
  test('trust, password, md5 and SCRAM, plain and in TLS', async () => {
    for (const name of ['trusting', 'clear', 'digest', 'scram']) {
      for (const sslMode of ['disable', 'verify-full'] as const) {
        const connection = await createDriver(optionsOf(name, { sslMode })).connect();
        assert.equal(await one(connection, 'select current_user'), name);
        await connection.close();
      }
    }
  });

  test('a wrong password is AuthenticationError, and no text of it shows one', async () => {
    for (const name of ['clear', 'digest', 'scram']) {
      const driver = createDriver(optionsOf(name, { password: 'canary-password' }));
      await assert.rejects(driver.connect(), (error) => {
        assert.ok(error instanceof AuthenticationError);
        assert.equal(error.sqlState, '28P01');
        assert.ok(!`${inspect(error, { depth: 9, showHidden: true })}${JSON.stringify(error)}`.includes('canary'));
        return true;
      });
    }
  });

  test('a missing password says so, one from a function is asked for each time', async () => {
    await assert.rejects(
      createDriver(optionsOf('scram', { password: undefined })).connect(),
      /none was given for user 'scram'/,
    );
    let asked = 0;
    const password = async () => {
      asked += 1;
      return 'secret-of-scram';
    };
    const driver = createDriver(optionsOf('scram', { password }));
    for (let i = 0; i < 2; i++) await (await driver.connect()).close();
    assert.equal(asked, 2);
  });

  test('requireAuth refuses the others', async () => {
    await assert.rejects(
      createDriver(optionsOf('digest', { requireAuth: ['scram-sha-256'] })).connect(),
      AuthenticationError,
    );
    await assert.rejects(
      createDriver(optionsOf('trusting', { requireAuth: ['scram-sha-256'] })).connect(),
      AuthenticationError,
    );
    await (await createDriver(optionsOf('trusting', { requireAuth: ['none'] })).connect()).close();
  });

  test('channel binding: had with TLS, required on request, refused where there is none', async () => {
    await (await createDriver(optionsOf('scram', { channelBinding: 'require' })).connect()).close();
    await (await createDriver(optionsOf('scram', { channelBinding: 'disable' })).connect()).close();
    await assert.rejects(
      createDriver(optionsOf('scram', { channelBinding: 'require', sslMode: 'disable' })).connect(),
      AuthenticationError,
    );
    await assert.rejects(
      createDriver(optionsOf('clear', { channelBinding: 'require' })).connect(),
      AuthenticationError,
    );
  });

  test('a user, a database or a role that is not there; a role that is full', async () => {
    const options = optionsOf('scram');
    await assert.rejects(createDriver({ ...options, user: 'nobody-here' }).connect(), AuthenticationError);
    await assert.rejects(
      createDriver({ ...options, database: 'nowhere' }).connect(),
      (error) => error instanceof ConnectError && error.sqlState === '3D000',
    );
    const first = await createDriver(optionsOf('limited')).connect();
    await assert.rejects(
      createDriver(optionsOf('limited')).connect(),
      (error) => error instanceof ServerFullError && error.retryable,
    );
    await first.close();
    await (await createDriver(optionsOf('limited')).connect()).close();
  });

  test('a full server is ServerFullError', async () => {
    const held = await Promise.all(Array.from({ length: 9 }, () => createDriver(optionsOf('scram')).connect()));
    await assert.rejects(
      createDriver(optionsOf('scram')).connect(),
      (error) => error instanceof ServerFullError && error.sqlState === '53300',
    );
    await Promise.all(held.map((connection) => connection.close()));
  });
});

describe('a new session', () => {
  test('has its name, its settings and its identity', async () => {
    const settings = { search_path: 'pg_catalog', statement_timeout: '5s', idle_in_transaction_session_timeout: '7s' };
    const driver = createDriver(optionsOf('scram', { applicationName: 'default', settings }));
    const connection = await driver.connect({ applicationName: 'app/1/permit' });
    const shown = async (name: string) => one(connection, `select current_setting('${name}')`);
    assert.equal(await shown('application_name'), 'app/1/permit');
    assert.equal(await shown('search_path'), 'pg_catalog');
    assert.equal(await shown('statement_timeout'), '5s');
    assert.equal(await shown('idle_in_transaction_session_timeout'), '7s');
    assert.equal(await shown('client_connection_check_interval'), '2s');
    const { pid, start } = connection.identity;
    assert.equal(await one(connection, 'select pg_backend_pid()'), pid);
    assert.match(start ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    await connection.close();
    assert.equal(connection.status, 'closed');
  });

  test('a setting of the caller that the server refuses fails the connection', async () => {
    const driver = createDriver(optionsOf('scram', { settings: { no_such_setting: 'x' } }));
    await assert.rejects(
      driver.connect(),
      (error) => error instanceof ConnectError && error.message.includes('no_such_setting'),
    );
  });

  test('leaves the server when it is closed, and close never throws', async () => {
    const watching = await open(server.url);
    const connection = await createDriver(optionsOf('scram')).connect();
    const there = async () =>
      one(watching, 'select count(*)::int4 from pg_stat_activity where pid = $1', [connection.identity.pid]);
    assert.equal(await there(), 1);
    await Promise.all([connection.close(), connection.close()]);
    assert.equal(await there(), 0);
    await connection.close();
    connection.destroy();
    await watching.close();
  });

  test('shows nothing of its secrets', async () => {
    const driver = createDriver(optionsOf('scram'));
    const connection = await driver.connect();
    const shown = [driver, connection]
      .map((value) => `${inspect(value, { depth: 9, showHidden: true })}${JSON.stringify(value)}`)
      .join();
    assert.ok(!shown.includes('secret-of-scram'));
    assert.ok(!shown.includes('ocket'), 'nothing leads to the socket');
    await connection.close();
  });

  test('wrong options are refused with their name', () => {
    const wrong: readonly (readonly [Record<string, unknown>, RegExp])[] = [
      [{ port: 0 }, /port/],
      [{ port: 1.5 }, /port/],
      [{ sslMode: 'verify_full' }, /sslMode/],
      [{ user: '' }, /user/],
      [{ connectTimeout: 0 }, /connectTimeout/],
      [{ statementCacheSize: 0 }, /statementCacheSize/],
      [{ requireAuth: ['scram'] }, /requireAuth/],
      [{ channelBinding: 'always' }, /channelBinding/],
    ];
    for (const [extra, text] of wrong) {
      assert.throws(
        () => createDriver({ user: 'u', ...extra } as PostgresOptions),
        (error) => error instanceof UsageError && text.test(error.message),
      );
    }
  });

  test('a server that is not there', async () => {
    const nowhere = createDriver({ host: '127.0.0.1', port: 1, user: 'u' });
    await assert.rejects(
      nowhere.connect(),
      (error) => error instanceof ConnectError && /127\.0\.0\.1:1: nothing listens there/.test(error.message),
    );
    await assert.rejects(createDriver({ host: '/nowhere', user: 'u' }).connect(), /no such socket/);
    await assert.rejects(createDriver({ host: 'no.such.host.invalid', user: 'u' }).connect(), ConnectError);
  });
});

test('concurrent connections share one derivation', async () => {
  const driver = createDriver(optionsOf('scram'));
  const all = await Promise.all(Array.from({ length: 6 }, () => driver.connect()));
  const pids = await Promise.all(all.map((connection) => run(connection, 'select pg_backend_pid()')));
  assert.deepEqual(
    pids.map(({ rows }) => rows[0]?.[0]),
    all.map(({ identity }) => identity.pid),
  );
  await Promise.all(all.map((connection) => connection.close()));
});

describe('[B20] TLS is never missing in silence', () => {
  /** Another name a test, because a warning is said once for each server; it leads to this machine. */
  const far = (host: string, extra: Partial<PostgresOptions>): PostgresOptions =>
    optionsOf('scram', { host, lookup: loopback, ...bare, ...extra });

  /** The codes of the warnings that connecting twice brings. */
  async function warnings(options: PostgresOptions): Promise<readonly string[]> {
    const codes: string[] = [];
    const listen = (warning: Error & { code?: string }): void => {
      codes.push(warning.code ?? '');
    };
    process.on('warning', listen);
    try {
      for (let i = 0; i < 2; i++) await encrypted(options);
      await new Promise(setImmediate);
    } finally {
      process.off('warning', listen);
    }
    return codes;
  }

  test('require without a certificate to trust, and a plain way that was only allowed, are said once', async () => {
    assert.deepEqual(await warnings(far('a.example.com', { sslMode: 'require' })), ['ATH_TLS_UNVERIFIED']);
    assert.deepEqual(await warnings(far('b.example.com', { sslMode: 'allow' })), ['ATH_NO_TLS']);
    const without = { port: plain.port, user: plain.user, password: plain.password, database: plain.database };
    assert.deepEqual(await warnings(far('c.example.com', { ...without, sslMode: 'prefer' })), ['ATH_NO_TLS']);
    assert.deepEqual(await warnings(far('private-name', without)), ['ATH_NO_TLS']);
  });

  test('what was asked for in so many words, verified, or stays on this machine is not said', async () => {
    assert.deepEqual(await warnings(far('d.example.com', { sslMode: 'disable' })), []);
    assert.deepEqual(await warnings(optionsOf('scram', { sslMode: 'verify-full' })), []);
    assert.deepEqual(await warnings(optionsOf('scram', { ...bare, sslMode: 'require' })), []);
  });

  test('without a word a far host is verified in full or refused, and a mode that does not exist is an error', async () => {
    await assert.rejects(encrypted(far('e.example.com', {})), /TLS with e\.example\.com/);
    const without = { port: plain.port, user: plain.user, password: plain.password };
    await assert.rejects(encrypted(far('f.example.com', without)), /offers no TLS, and it is not a private host/);
    await assert.rejects(encrypted(far('g.example.com', { ...without, sslMode: 'require' })), /offers no TLS/);
    assert.throws(() => createDriver(far('h', { sslMode: 'on' as never })), UsageError);
  });
});

test('[B23] channel binding is on by default: somebody between who ends TLS gets no session', async (context) => {
  const { certificate, key } = makeCertificates();
  const middle = createServer((client) => {
    client.once('data', () => {
      client.write('S');
      const inside = new TLSSocket(client, { isServer: true, cert: certificate, key });
      const up = connectTcp(server.port, '127.0.0.1', () => up.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])));
      up.once('data', () => {
        const outside = connectTls({ socket: up, rejectUnauthorized: false });
        inside.pipe(outside).pipe(inside);
        for (const socket of [client, inside, up, outside])
          socket.on('error', () => {}).on('close', () => up.destroy());
      });
    });
  });
  middle.listen(0, '127.0.0.1');
  await once(middle, 'listening');
  context.after(() => middle.close());
  const { port } = middle.address() as AddressInfo;
  const through = (channelBinding?: 'disable' | 'prefer' | 'require'): PostgresOptions =>
    optionsOf('scram', { ...bare, port, sslMode: 'require', channelBinding });
  assert.equal(await encrypted(through('disable')), true, 'without it nobody notices');
  for (const mode of [undefined, 'prefer', 'require'] as const)
    await assert.rejects(encrypted(through(mode)), AuthenticationError);
  assert.equal(await encrypted(optionsOf('scram', { channelBinding: 'require' })), true);
  await assert.rejects(
    encrypted(optionsOf('scram', { channelBinding: 'require', sslMode: 'disable' })),
    AuthenticationError,
  );
});
