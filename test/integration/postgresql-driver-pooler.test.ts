// Behind PgBouncer in transaction mode, where the session of one moment is not that of the next: what works, what is
// refused by name, and what a pooler in session mode is told apart by.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { DriverConnection } from '../../src/driver/driver.ts';
import { UnsupportedError } from '../../src/errors/index.ts';
import { noPgBouncer, type PgBouncer, startPgBouncer } from '../pgbouncer.ts';
import { startPostgres, type TestServer } from '../servers.ts';
import { one, open, run, statement } from './postgresql-driver-kit.ts';

const skip = noPgBouncer ?? false;

describe('a pooler in transaction mode', { skip }, () => {
  let server: TestServer;
  let pooler: PgBouncer;
  before(async () => {
    server = await startPostgres();
    pooler = await startPgBouncer(server, { poolSize: 3 });
  });
  after(async () => {
    await pooler.stop();
    await server.stop();
  });

  /** Two ways to say so: by name, or to let it be found out. */
  const announced = (extra: object = {}): Promise<DriverConnection> =>
    open(pooler.url, { pooler: 'transaction', ...extra });

  test('is found out, or announced, and told', async () => {
    for (const connection of [await open(pooler.url), await announced()]) {
      assert.equal(connection.pooled, true);
      await connection.close();
    }
    for (const connection of [await open(server.url), await open(pooler.url, { pooler: 'session' })]) {
      assert.equal(connection.pooled, false);
      await connection.close();
    }
  });

  test('statements of many clients never meet by their names', async () => {
    const clients = await Promise.all(
      Array.from({ length: 9 }, (_, i) => (i % 2 === 0 ? announced() : open(pooler.url))),
    );
    for (let round = 0; round < 20; round++) {
      const answers = await Promise.all(
        clients.map((client, i) => one(client, `select ${i} + $1::int4 as "n${(i + round) % 4}"`, [round])),
      );
      assert.deepEqual(
        answers,
        clients.map((_, i) => i + round),
      );
    }
    await Promise.all(clients.map((client) => client.close()));
  });

  test('a transaction, a cursor and COPY in it keep their session', async () => {
    const connection = await announced();
    await run(connection, 'begin');
    const pid = await one(connection, 'select pg_backend_pid()');
    await run(connection, 'create temp table kept (i int4) on commit drop');
    await connection.copyFrom?.('copy kept from stdin', [Buffer.from('1\n2\n3\n')]);
    const cursor = await connection.openCursor?.(statement('select i from kept order by i'));
    assert.deepEqual((await cursor?.fetch(2))?.rows, [[1], [2]]);
    assert.equal(await one(connection, 'select pg_backend_pid()'), pid);
    await run(connection, 'commit');
    await connection.close();
  });

  test('what would stay in the session is refused by name before it is sent', async () => {
    const connection = await announced();
    const refused: readonly (readonly [string, RegExp])[] = [
      ['listen news', /^LISTEN does not work/],
      ['-- a comment\n UNLISTEN *', /^LISTEN/],
      [`set search_path to 'evil'`, /^SET for the session/],
      ['SET SESSION statement_timeout = 1', /^SET for the session/],
      [`select set_config('search_path', 'evil', false)`, /^set_config/],
      ['select pg_advisory_lock(1)', /^an advisory lock/],
      ['select pg_catalog.pg_try_advisory_lock_shared(1, 2)', /^an advisory lock/],
      ['create temp table t (i int4)', /^a temporary table/],
      ['create temporary view t as select 1', /^a temporary table/],
      ['declare c cursor with hold for select 1', /^a cursor WITH HOLD/],
      ['prepare p as select 1', /^PREPARE/],
      ['discard all', /^DISCARD/],
    ];
    for (const [sql, text] of refused) {
      await assert.rejects(connection.submit([statement('select 1'), statement(sql)], { row: () => {} }), (error) => {
        assert.ok(error instanceof UnsupportedError, sql);
        assert.match(error.message, text);
        assert.equal(error.outcome, 'not-sent');
        return true;
      });
    }
    const allowed = [
      'begin',
      'set transaction isolation level serializable',
      'set local statement_timeout = 1000',
      'set constraints all deferred',
      `select set_config('search_path', 'public', true)`,
      'select pg_advisory_xact_lock(1)',
      `set timezone to 'UTC'`,
      'SET SESSION TIME ZONE 0',
      `set datestyle = 'ISO'`,
      'commit',
    ];
    await connection.submit(
      allowed.map((sql) => statement(sql)),
      { row: () => {} },
    );
    await connection.close();
  });

  test('a setting is kept where the pooler keeps it, and refused where others would meet it', async () => {
    const kept = { TimeZone: 'Pacific/Apia', application_name: 'mine' };
    const [mine, other] = await Promise.all([announced({ settings: kept }), announced()]);
    for (let i = 0; i < 5; i++) {
      assert.deepEqual(
        await Promise.all([
          one(mine, `select current_setting('TimeZone')`),
          one(other, `select current_setting('TimeZone')`),
        ]),
        ['Pacific/Apia', 'UTC'],
      );
    }
    await Promise.all([mine.close(), other.close()]);
    await assert.rejects(
      announced({ settings: { search_path: 'evil' } }),
      (error) => error instanceof UnsupportedError && /'search_path'/.test(error.message),
    );
    const direct = await open(server.url);
    const leaked = `select count(*)::int4 from pg_stat_activity where application_name = 'never'`;
    assert.equal(await one(direct, leaked), 0);
    await direct.close();
  });

  test('one that is in session mode is as none', async () => {
    await using keeping = await startPgBouncer(server, { mode: 'session' });
    const settings = { search_path: 'mine' };
    const connection = await open(keeping.url, { pooler: 'session', settings });
    assert.equal(await one(connection, 'show search_path'), 'mine');
    assert.equal(await one(connection, 'show idle_in_transaction_session_timeout'), '1min');
    const heard = new Promise((resolve) => {
      connection.onNotification = resolve;
    });
    await run(connection, 'listen news');
    await run(connection, `notify news, 'hello'`);
    assert.equal(((await heard) as { payload: string }).payload, 'hello');
    await connection.close();
  });

  test('a cancel reaches its own statement', async () => {
    const clients = await Promise.all(Array.from({ length: 3 }, () => announced()));
    const stop = new AbortController();
    const [first, ...others] = clients as [DriverConnection, ...DriverConnection[]];
    const sleeping = one(first, 'select pg_sleep(20)::text', [], { signal: stop.signal });
    const unharmed = others.map((client) => one(client, 'select pg_sleep(0.5)::text'));
    setTimeout(() => stop.abort(), 100);
    await assert.rejects(sleeping, { code: 'ATH_CANCELLED' });
    assert.deepEqual(await Promise.all(unharmed), ['', '']);
    await Promise.all(clients.map((client) => client.close()));
  });
});
