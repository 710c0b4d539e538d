// Several servers in one URL: which is taken, which is passed over, and how long it may take.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chownSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { DriverConnection } from '../../src/driver/driver.ts';
import { checkRole } from '../../src/dialects/postgresql/driver/server-role.ts';
import type { PostgresOptions } from '../../src/dialects/postgresql/driver/index.ts';
import { parsePostgresUrl } from '../../src/dialects/postgresql/url.ts';
import { AuthenticationError, CancelledError, ConnectError } from '../../src/errors/index.ts';
import { startPostgres, type TestServer } from '../servers.ts';
import { errorMessage, scriptedServer } from '../unit/dialects/postgresql/driver/scripted-server.ts';
import { createDriver, one } from './postgresql-driver-kit.ts';

let primary: TestServer;
let standby: TestServer;
let readOnly: TestServer;
/** Ports by name; `dead` is where nobody listens, `silent` takes connections and says nothing. */
const ports: Record<string, number> = { dead: 1 };
const silent = createServer(() => {});

async function makeStandby(server: TestServer): Promise<void> {
  const data = join(dirname(server.logFile), 'postgres');
  const { uid, gid } = statSync(data);
  writeFileSync(join(data, 'standby.signal'), '');
  chownSync(join(data, 'standby.signal'), uid, gid);
  await server.restart('fast');
}

before(async () => {
  const accessRules = ['host all all 127.0.0.1/32 trust'];
  silent.listen(0, '127.0.0.1');
  [primary, standby, readOnly] = await Promise.all([
    startPostgres({ accessRules }),
    startPostgres({ accessRules }),
    startPostgres({ accessRules, settings: { default_transaction_read_only: 'on' } }),
    once(silent, 'listening'),
  ]);
  await makeStandby(standby);
  Object.assign(ports, {
    primary: primary.port,
    standby: standby.port,
    readonly: readOnly.port,
    silent: (silent.address() as AddressInfo).port,
  });
});
after(async () => {
  silent.close();
  await Promise.all([primary.stop(), standby.stop(), readOnly.stop()]);
});

function optionsOf(names: readonly string[], query = '', extra: Partial<PostgresOptions> = {}): PostgresOptions {
  const places = names.map((name) => `127.0.0.1:${ports[name]}`).join(',');
  const user = encodeURIComponent(primary.user);
  return { ...parsePostgresUrl(`postgresql://${user}@${places}/postgres?sslmode=disable&${query}`, {}), ...extra };
}

/** Which server is taken, or why none. */
async function taken(names: readonly string[], query = '', extra: Partial<PostgresOptions> = {}): Promise<string> {
  const connection = await createDriver(optionsOf(names, query, extra)).connect();
  const port = Number(await one(connection, 'select inet_server_port()'));
  await connection.close();
  return Object.entries(ports).find(([, one]) => one === port)?.[0] ?? String(port);
}

describe('target_session_attrs', () => {
  const wanted: readonly (readonly [attrs: string, names: string, taken: string])[] = [
    ['any', 'dead standby primary', 'standby'],
    ['read-write', 'standby readonly primary', 'primary'],
    ['read-only', 'primary readonly standby', 'readonly'],
    ['read-only', 'primary standby', 'standby'],
    ['primary', 'standby readonly primary', 'readonly'],
    ['standby', 'primary readonly dead standby', 'standby'],
    ['prefer-standby', 'primary standby', 'standby'],
    ['prefer-standby', 'dead primary readonly', 'primary'],
  ];
  for (const [attrs, names, expected] of wanted) {
    test(`${attrs} among ${names} is ${expected}`, async () => {
      assert.equal(await taken(names.split(' '), `target_session_attrs=${attrs}`), expected);
    });
  }

  test('when none is the wanted one, all are named with their reason, and nothing is left open', async () => {
    await assert.rejects(taken(['primary', 'dead'], 'target_session_attrs=standby'), (error) => {
      assert.ok(error instanceof ConnectError);
      assert.match(error.message, /it is no standby.*127\.0\.0\.1:1: nothing listens there/s);
      return true;
    });
    await assert.rejects(taken(['standby'], 'target_session_attrs=read-write'), /read-only/);
    assert.deepEqual([await primary.connectionCount(), await standby.connectionCount()], [0, 0]);
  });

  test('servers that do not say it at startup are asked', async () => {
    for (const [name, server] of [
      ['primary', primary],
      ['standby', standby],
      ['readonly', readOnly],
    ] as const) {
      const real = await createDriver(optionsOf([name])).connect();
      const mute = { submit: real.submit.bind(real) } as unknown as DriverConnection;
      const place = { host: '127.0.0.1', port: server.port, address: undefined };
      const fits = (attrs: 'read-write' | 'read-only' | 'primary' | 'standby'): Promise<boolean> =>
        checkRole(mute, attrs, place).then(
          () => true,
          () => false,
        );
      assert.deepEqual(
        [await fits('read-write'), await fits('read-only'), await fits('primary'), await fits('standby')],
        name === 'primary' ? [true, false, true, false] : [false, true, name === 'readonly', name === 'standby'],
      );
      await real.close();
    }
  });
});

describe('several hosts', () => {
  test('one that says nothing leaves time for the next', async () => {
    const start = performance.now();
    assert.equal(await taken(['silent', 'primary'], '', { connectTimeout: 3000 }), 'primary');
    assert.ok(performance.now() - start < 2500);
    await assert.rejects(taken(['silent', 'dead'], '', { connectTimeout: 500 }), /within 250 ms; .*nothing listens/);
  });

  test('one that cannot take connections now is passed over, one that refuses for good is not', async () => {
    await using starting = await scriptedServer(async (peer) => {
      await peer.next();
      peer.send(errorMessage('57P03', 'the database system is starting up', 'FATAL'));
    });
    await using refusing = await scriptedServer(async (peer) => {
      await peer.next();
      peer.send(errorMessage('28P01', 'no', 'FATAL'));
    });
    Object.assign(ports, { starting: starting.port, refusing: refusing.port });
    assert.equal(await taken(['starting', 'primary']), 'primary');
    await assert.rejects(taken(['refusing', 'primary']), AuthenticationError);
    await assert.rejects(taken(['primary', 'standby'], '', { sslMode: 'require' }), /offers no TLS/);
    assert.equal(refusing.connections, 1);
  });

  test('a signal ends all of it', async () => {
    const stop = new AbortController();
    const driver = createDriver(optionsOf(['silent', 'silent']));
    const opening = driver.connect({ signal: stop.signal });
    stop.abort();
    await assert.rejects(opening, CancelledError);
  });

  test('load_balance_hosts=random takes each of them', async () => {
    const seen = new Set<string>();
    for (let i = 0; i < 200 && seen.size < 2; i++)
      seen.add(await taken(['primary', 'readonly'], 'load_balance_hosts=random'));
    assert.deepEqual([...seen].sort(), ['primary', 'readonly']);
    for (let i = 0; i < 5; i++)
      assert.equal(await taken(['primary', 'readonly'], 'load_balance_hosts=disable'), 'primary');
  });

  test('hostaddr is where it connects, whatever the host is called', async () => {
    const options = optionsOf(['primary'], 'host=no.such.host.invalid&hostaddr=127.0.0.1');
    const connection = await createDriver(options).connect();
    await connection.close();
  });

  test('a password that no server asks for is not fetched', async () => {
    let asked = 0;
    await using first = await scriptedServer(async (peer) => {
      await peer.next();
      peer.send(errorMessage('57P03', 'starting', 'FATAL'));
    });
    ports['first'] = first.port;
    const password = () => {
      asked += 1;
      return 'x';
    };
    assert.equal(await taken(['first', 'primary'], '', { password }), 'primary');
    assert.equal(asked, 0, 'nobody asked for it');
  });
});
