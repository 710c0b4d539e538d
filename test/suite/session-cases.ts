// What belongs to the session: its identity, what the server says of it, notices and notifications.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { statement } from '../integration/postgresql-driver-kit.ts';
import { announced } from './announced.ts';
import type { Bench } from './contract-bench.ts';
import type { Notification } from '../../src/driver/notification.ts';

export function sessionCases(bench: Bench): void {
  bench.sessionTest('its identity is the server process and when that started', async () => {
    const { pid, start } = bench.connection.identity;
    const [row] = await bench.reached.server.query<{ start: string }>(
      `select to_char(backend_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as start from pg_stat_activity where pid = $1`,
      [pid],
    );
    assert.equal(start, row?.start);
    assert.equal(await bench.one('select pg_backend_pid()'), pid);
  });

  test('it says who it is to the server, and shows no secret', async () => {
    const named = await bench.reached.driver().connect({ applicationName: 'the contract' });
    const [row] = await bench.reached.server.query<{ n: number }>(
      `select count(*)::int4 as n from pg_stat_activity where application_name = 'the contract'`,
    );
    assert.equal(row?.n, 1);
    const { password } = bench.reached.server;
    assert.ok(!`${inspect(named, { depth: 9, showHidden: true })}${JSON.stringify(named)}`.includes(password));
    await named.close();
  });

  test('each batch announces which database and version answered', async () => {
    const submissions = announced();
    await bench.one('select 1');
    const seen = submissions.end();
    assert.equal(seen.length, 1);
    assert.equal(seen[0]?.database, 'postgresql');
    assert.match(String(seen[0]?.version), new RegExp(`^${bench.way.version}\\b`));
  });

  test('the parameters are the server’s words, and live', async () => {
    const { parameters } = bench.connection;
    assert.match(parameters?.get('server_version') ?? '', new RegExp(`^${bench.way.version}\\b`));
    assert.equal(parameters?.get('client_encoding'), 'UTF8');
    await bench.run(`set application_name = 'renamed'`);
    assert.equal(parameters?.get('application_name'), 'renamed');
  });

  bench.sessionTest(
    'a setting is sent after the connection stands; one that the server refuses is an error',
    async () => {
      const set = await bench.open({ settings: { work_mem: '1234kB', statement_timeout: '7s' } });
      const values: unknown[] = [];
      await set.submit([statement('show work_mem'), statement('show statement_timeout')], {
        row: (_index, row) => values.push(row[0]),
      });
      assert.deepEqual(values, ['1234kB', '7s']);
      await assert.rejects(bench.open({ settings: { work_mem: 'no size' } }), { code: 'ATH_CONNECT' });
    },
  );

  test('notices reach their listener, and a listener that throws nobody', async () => {
    const notices: string[] = [];
    bench.connection.onNotice = ({ severity, message }) => {
      notices.push(`${severity} ${message}`);
      throw new TypeError('a listener that fails');
    };
    await bench.run(`do $$ begin raise notice 'first'; raise warning 'second'; end $$`, [], { prepare: false });
    assert.deepEqual(notices, ['NOTICE first', 'WARNING second']);
    assert.equal(await bench.one('select 1'), 1);
  });

  bench.sessionTest('notifications reach their listener, from here and from others', async () => {
    assert.ok('onNotification' in bench.connection);
    const got: Notification[] = [];
    const both = new Promise<void>((resolve) => {
      bench.connection.onNotification = (notification) => {
        got.push(notification);
        if (got.length === 2) resolve();
        throw new TypeError('a listener that fails');
      };
    });
    await bench.run('listen "the channel"', [], { prepare: false });
    await bench.run(`select pg_notify('the channel', 'from here')`);
    const other = await bench.open();
    await other.submit(
      [{ text: { sql: `notify "the channel", 'é'`, params: [], results: undefined, prepare: false }, params: [] }],
      { row: () => {} },
    );
    await both;
    assert.deepEqual(got, [
      { channel: 'the channel', payload: 'from here', pid: bench.connection.identity.pid },
      { channel: 'the channel', payload: 'é', pid: other.identity.pid },
    ]);
    assert.equal(await bench.one('select 1'), 1);
  });
}
