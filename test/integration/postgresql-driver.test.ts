// The driver at work: batches, prepared statements, failures in the middle, cancel, and connections that go away.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { inspect } from 'node:util';
import type { DriverConnection, DriverStatement, Scalar } from '../../src/driver/driver.ts';
import {
  CancelledError,
  CommitOutcomeUnknownError,
  CommitRolledBackError,
  ConnectionLostError,
  DatabaseError,
  DataError,
  DeadlockError,
  LockTimeoutError,
  ProgrammingError,
  StatementTimeoutError,
  TransactionExpiredError,
  UniqueViolationError,
  UsageError,
} from '../../src/errors/index.ts';
import { startPostgres, type TestServer } from '../servers.ts';
import { chosenWay } from '../ways.ts';
import { one, open, run, statement } from './postgresql-driver-kit.ts';

let server: TestServer;
let connection: DriverConnection;
before(async () => {
  server = await startPostgres();
});
after(() => server.stop());
beforeEach(async (context) => {
  connection = await open(server.url);
  (context as { after?: (fn: () => unknown) => void }).after?.(() => connection.close());
});

const nothing = { row: () => {} };

function submit(batch: readonly DriverStatement[], on: DriverConnection = connection): Promise<void> {
  return on.submit(batch, nothing);
}

/** A table of its own with one number a row. */
async function table(name: string): Promise<void> {
  await run(connection, `drop table if exists ${name}`, [], { prepare: false });
  await run(connection, `create table ${name} (id int4 primary key, v text)`, [], { prepare: false });
}

describe('a batch', () => {
  test('is answered in order, rows and completions to their statement', async () => {
    await table('ordered');
    const heard: unknown[] = [];
    await connection.submit(
      [
        statement('begin'),
        {
          ...statement('insert into ordered values ($1, $2)'),
          sets: [
            [1, 'a'],
            [2, 'b'],
            [3, 'c'],
          ],
        },
        statement('select id from ordered order by id'),
        statement('commit'),
      ],
      {
        fields: (index, fields) => heard.push(['fields', index, fields.map(({ name }) => name)]),
        row: (index, row) => heard.push(['row', index, ...row]),
        done: (index, { command, count }) => heard.push(['done', index, command, count]),
      },
    );
    assert.deepEqual(heard, [
      ['done', 0, 'BEGIN', undefined],
      ['done', 1, 'INSERT', 3],
      ['fields', 2, ['id']],
      ['row', 2, 1],
      ['row', 2, 2],
      ['row', 2, 3],
      ['done', 2, 'SELECT', 3],
      ['done', 3, 'COMMIT', undefined],
    ]);
  });

  test('stops at the first failure, names it, and leaves the connection usable', async () => {
    await table('stopping');
    const done: number[] = [];
    const batch = [1, 2, 1, 4].map((id) => statement('insert into stopping values ($1, $2)', [id, 'x']));
    await assert.rejects(connection.submit(batch, { row: () => {}, done: (index) => done.push(index) }), (error) => {
      assert.ok(error instanceof UniqueViolationError);
      assert.deepEqual(
        [error.statementIndex, error.constraint, error.table, error.sqlState],
        [2, 'stopping_pkey', 'stopping', '23505'],
      );
      assert.equal(error.message, 'duplicate key value violates unique constraint "stopping_pkey"');
      assert.match(error.serverDetail ?? '', /Key \(id\)=\(1\)/);
      assert.ok(!`${inspect(error)}${JSON.stringify(error)}`.includes('(1)'));
      return true;
    });
    assert.deepEqual(done, [0, 1]);
    assert.equal(connection.status, 'idle');
    assert.equal(
      await one(connection, 'select count(*)::int4 from stopping'),
      0,
      'outside a transaction the batch is one',
    );
  });

  test('in a transaction a failure leaves it failed, and rollback ends that', async () => {
    await table('failing');
    await submit([statement('begin'), statement(`insert into failing values (1, 'a')`)]);
    assert.equal(connection.status, 'transaction');
    await assert.rejects(run(connection, 'select nonsense'), ProgrammingError);
    assert.equal(connection.status, 'failed');
    await assert.rejects(run(connection, 'select 1'), { sqlState: '25P02' });
    await run(connection, 'rollback');
    assert.equal(connection.status, 'idle');
    assert.equal(await one(connection, 'select count(*)::int4 from failing'), 0);
  });

  test('overlapping calls are answered in order, each with its own outcome', async () => {
    const outcomes = await Promise.allSettled([
      one(connection, 'select 1'),
      one(connection, 'select 1/0'),
      one(connection, 'select 1'),
      one(connection, 'select no_such_column'),
      one(connection, 'select $1::int4', [5]),
      one(connection, 'select $1::int4', [6]),
    ]);
    assert.deepEqual(
      outcomes.map((outcome) =>
        outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as DatabaseError).sqlState,
      ),
      [1, '22012', 1, '42703', 5, 6],
    );
    assert.equal(connection.status, 'idle');
  });

  test('of nothing is nothing; an empty statement is one; COPY is refused', async () => {
    await connection.submit([], nothing);
    assert.deepEqual(await run(connection, ' -- nothing'), {
      rows: [],
      fields: undefined,
      command: '',
      count: undefined,
    });
    await assert.rejects(submit([{ ...statement('select $1'), sets: [] }]), UsageError);
    for (const sql of ['copy (select 1) to stdout', 'copy pg_class from stdin']) {
      const other = await open(server.url);
      await assert.rejects(run(other, sql), { code: 'ATH_CONNECTION_LOST' });
      assert.equal(other.status, 'closed');
    }
  });

  test('[B13] NUL in SQL text is refused before sending', async () => {
    for (const prepare of [true, false]) {
      await assert.rejects(
        submit([statement('select 1', [], prepare), statement(`select '\0'`, [], prepare)]),
        (error) => error instanceof UsageError && error.outcome === 'not-sent',
      );
    }
    assert.equal(await one(connection, 'select 1'), 1);
  });

  test('many large values both ways at once do not lock up', async () => {
    const big = 'x'.repeat(4_000_000);
    const texts = await Promise.all(
      Array.from({ length: 6 }, () => one(connection, `select $1::text || repeat('y', 4000000)`, [big])),
    );
    assert.ok(texts.every((text) => (text as string).length === 8_000_000));
  });
});

describe('COMMIT', () => {
  test('answered by ROLLBACK is an error', async () => {
    await run(connection, 'begin');
    await assert.rejects(run(connection, 'select 1/0'), DataError);
    await assert.rejects(
      run(connection, '/* end */ commit'),
      (error) => error instanceof CommitRolledBackError && error.outcome === 'failed',
    );
    assert.equal(connection.status, 'idle');
    await run(connection, 'begin');
    await run(connection, 'rollback');
  });

  test('that a deferred constraint refuses leaves nothing open', async () => {
    await run(connection, 'drop table if exists deferring');
    await run(
      connection,
      'create table deferring (id int4 primary key, other int4 references deferring deferrable initially deferred)',
    );
    await run(connection, 'begin');
    await run(connection, 'insert into deferring values (1, 2)');
    await assert.rejects(run(connection, 'commit'), { sqlState: '23503' });
    assert.equal(connection.status, 'idle');
    await assert.rejects(run(connection, 'insert into deferring values (1, 2)'), { sqlState: '23503' });
    assert.equal(connection.status, 'idle');
  });

  test('chains, savepoints and two-phase words keep the status right', async () => {
    for (const [sql, status] of [
      ['begin', 'transaction'],
      ['savepoint a', 'transaction'],
      ['rollback to savepoint a', 'transaction'],
      ['commit and chain', 'transaction'],
      ['rollback and chain', 'transaction'],
      ['end', 'idle'],
      ['start transaction', 'transaction'],
      ['abort', 'idle'],
    ] as const) {
      await run(connection, sql);
      assert.equal(connection.status, status, sql);
    }
  });
});

describe('prepared statements', () => {
  const prepared = async (): Promise<Scalar> =>
    one(connection, 'select count(*)::int4 from pg_prepared_statements', [], { prepare: false });

  test('are parsed once, and only where it was asked for', async () => {
    for (let i = 0; i < 4; i++) await one(connection, 'select $1::int4 + 1', [i]);
    for (let i = 0; i < 4; i++) await one(connection, 'select $1::int4 + 2', [i], { prepare: false });
    assert.deepEqual(
      await run(
        connection,
        `select count(*)::int4, sum(generic_plans + custom_plans)::int4 from pg_prepared_statements`,
        [],
        { prepare: false },
      ).then(({ rows }) => rows),
      [[1, 4]],
    );
  });

  test('are bounded on both ends, the longest unused goes first', async () => {
    const small = await open(server.url, { statementCacheSize: 3 });
    for (let i = 0; i < 10; i++) {
      await one(small, 'select 1 as always');
      assert.equal(await one(small, `select ${i} as n`), i);
    }
    const names = await run(small, 'select statement from pg_prepared_statements', [], { prepare: false });
    assert.equal(names.rows.length, 3);
    assert.ok(names.rows.some(([sql]) => sql === 'select 1 as always'));
    await submit(
      Array.from({ length: 20 }, (_, i) => statement(`select ${i} as batched`)),
      small,
    );
    assert.ok(
      ((await one(small, 'select count(*)::int4 from pg_prepared_statements', [], { prepare: false })) as number) <= 3,
    );
    await small.close();
  });

  test('that failed to parse, or were never reached, are not taken for parsed', async () => {
    await table('reached');
    const batch = [statement('select 1 as one'), statement('select no_such_column'), statement('select 2 as two')];
    for (let i = 0; i < 3; i++)
      await assert.rejects(submit(batch), (error) => error instanceof ProgrammingError && error.statementIndex === 1);
    assert.equal(await one(connection, 'select 2 as two'), 2);
    assert.equal(await prepared(), 2);
    const outcomes = await Promise.allSettled([
      submit([statement('select 1/0'), statement('select 3 as three')]),
      one(connection, 'select 3 as three'),
      one(connection, 'select 3 as three'),
    ]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'fulfilled', 'fulfilled'],
    );
  });

  test('one whose table changed is parsed anew outside a transaction', async () => {
    await table('changing');
    await run(connection, `insert into changing values (1, 'a')`);
    assert.deepEqual((await run(connection, 'select * from changing')).rows, [[1, 'a']]);
    await run(connection, 'alter table changing add column w int8 default 7', [], { prepare: false });
    const after = await run(connection, 'select * from changing');
    assert.deepEqual([after.rows, after.fields?.length], [[[1, 'a', 7n]], 3]);
    await run(connection, 'alter table changing alter column w type text using w::text', [], { prepare: false });
    assert.deepEqual((await run(connection, 'select * from changing')).rows, [[1, 'a', '7']]);
    await run(connection, 'alter table changing drop column v', [], { prepare: false });
    assert.deepEqual((await run(connection, 'select * from changing')).rows, [[1, '7']]);
  });

  test('inside a transaction the change is an error, and the statement is forgotten', async () => {
    await table('inside');
    await run(connection, 'select * from inside');
    await run(connection, 'alter table inside add column w int4', [], { prepare: false });
    await run(connection, 'begin');
    await assert.rejects(
      run(connection, 'select * from inside'),
      (error) => error instanceof DatabaseError && error.sqlState === '0A000',
    );
    await run(connection, 'rollback');
    await run(connection, 'begin');
    assert.equal((await run(connection, 'select * from inside')).fields?.length, 3);
    await run(connection, 'commit');
  });

  test('that vanished are parsed anew', async () => {
    assert.equal(await one(connection, 'select 1 as vanishing'), 1);
    for (const sql of ['deallocate all', 'discard all', 'deallocate prepare all']) {
      await run(connection, sql, [], { prepare: false });
      assert.equal(await one(connection, 'select 1 as vanishing'), 1);
    }
    const name = (await one(
      connection,
      `select name from pg_prepared_statements where statement = 'select 1 as vanishing'`,
      [],
      { prepare: false },
    )) as string;
    await run(connection, `deallocate ${name}`, [], { prepare: false });
    assert.equal(await one(connection, 'select 1 as vanishing'), 1);
  });

  test('[T43] outside a transaction any change under a prepared statement is met by parsing it anew', async () => {
    const ddl = (sql: string) => run(connection, sql, [], { prepare: false });
    for (const sql of [
      'drop schema if exists elsewhere cascade',
      'drop type if exists shade cascade',
      `create type shade as enum ('a')`,
    ])
      await ddl(sql);
    await table('moving');
    await ddl(`insert into moving values (1, 'a')`);
    const all = async () => (await run(connection, 'select * from moving where id = $1', [1])).rows;
    const shade = (value: string) => one(connection, 'select $1::shade', [value]);
    for (let i = 0; i < 2; i++) assert.deepEqual([await all(), await shade('a')], [[[1, 'a']], 'a']);
    // The result's columns, then a column's type, then a parameter's type.
    await ddl('alter table moving add column w int4 default 7');
    assert.deepEqual(await all(), [[1, 'a', 7]]);
    await ddl('alter table moving alter column w type text using w::text');
    assert.deepEqual(await all(), [[1, 'a', '7']]);
    await ddl('alter table moving alter column id type int8');
    assert.deepEqual(await all(), [[1n, 'a', '7']]);
    // Another table of the same name.
    await ddl('create schema elsewhere');
    await ddl('create table elsewhere.moving as select 1::int4 as id, true as other');
    await ddl('set search_path to elsewhere, public');
    assert.deepEqual(await all(), [[1, true]]);
    await ddl('reset search_path');
    assert.deepEqual(await all(), [[1n, 'a', '7']]);
    await ddl('drop type shade');
    await ddl(`create type shade as enum ('a', 'b')`);
    assert.equal(await shade('b'), 'b');
  });
});

describe('errors', () => {
  test('of data show no value, neither quoted nor behind a colon', async () => {
    for (const sql of [
      `select 'SECRET'::int4`,
      `select 'SECRET'::timestamptz`,
      `select '{"a": SECRET'::json`,
      'select make_date(2024, 13, 774411)',
      `select $1::int4`,
    ]) {
      await assert.rejects(run(connection, sql, sql.includes('$1') ? ['SECRET'] : []), (error) => {
        assert.ok(error instanceof DataError, String(error));
        assert.ok(
          !/SECRET|774411/.test(
            `${error.message}${error.stack}${inspect(error, { depth: 9 })}${JSON.stringify(error)}`.replaceAll(sql, ''),
          ),
          error.message,
        );
        return true;
      });
    }
  });

  test('[T38] time limits and locks are told apart, and the connection goes on', async () => {
    await table('locked');
    await run(connection, `insert into locked values (1, 'a')`);
    const other = await open(server.url);
    await run(other, 'begin');
    await run(other, 'select * from locked for update');
    await run(connection, `set statement_timeout = '30ms'`);
    await assert.rejects(run(connection, 'select pg_sleep(10)'), StatementTimeoutError);
    await run(connection, 'set statement_timeout = 0');
    await run(connection, `set lock_timeout = '30ms'`);
    await assert.rejects(run(connection, 'update locked set v = $1', ['b']), LockTimeoutError);
    await assert.rejects(run(connection, 'select * from locked for update nowait'), LockTimeoutError);
    await assert.rejects(
      run(connection, 'select pg_sleep(10)', [], { signal: AbortSignal.timeout(30) }),
      (error) => error instanceof CancelledError && (error.cause as Error).name === 'TimeoutError',
    );
    assert.equal(await one(connection, 'select 1'), 1);
    await run(connection, `set transaction_timeout = '50ms'`);
    await assert.rejects(submit([statement('begin'), statement('select pg_sleep(10)')]), TransactionExpiredError);
    await other.close();
  });

  test('a deadlock is one, and retryable', async () => {
    await table('crossed');
    await submit([statement(`insert into crossed values (1, 'a'), (2, 'b')`)]);
    const other = await open(server.url);
    const update = (on: DriverConnection, id: number) => run(on, 'update crossed set v = v where id = $1', [id]);
    await Promise.all([run(connection, 'begin'), run(other, 'begin')]);
    await Promise.all([update(connection, 1), update(other, 2)]);
    const outcomes = await Promise.allSettled([
      update(connection, 2).finally(() => run(connection, 'rollback')),
      update(other, 1).finally(() => run(other, 'rollback')),
    ]);
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
    assert.equal(failed.length, 1);
    assert.ok(failed[0]?.reason instanceof DeadlockError && failed[0].reason.retryable);
    await other.close();
  });
});

describe('cancel', () => {
  test('by signal: the server stops, the reason is the cause, the connection goes on', async () => {
    const reason = new Error('no longer wanted');
    const stop = new AbortController();
    const sleeping = run(connection, 'select pg_sleep(30)', [], { signal: stop.signal });
    setTimeout(() => stop.abort(reason), 50);
    const start = performance.now();
    await assert.rejects(sleeping, (error) => error instanceof CancelledError && error.cause === reason);
    assert.ok(performance.now() - start < 2000);
    assert.equal(connection.status, 'idle');
    assert.equal(await one(connection, 'select 1'), 1);
  });

  test('at once after the call, and through TLS', async () => {
    await using secured = await startPostgres({ tls: true });
    const other = await open(secured.url);
    for (const on of [connection, other]) {
      const stop = new AbortController();
      const sleeping = run(on, 'select pg_sleep(30)', [], { signal: stop.signal });
      stop.abort();
      await assert.rejects(sleeping, CancelledError);
      assert.equal(await one(on, 'select 1'), 1);
    }
    await other.close();
  });

  test('with a signal that has fired nothing is sent; one that waits is taken out', async () => {
    await table('unsent');
    const stop = new AbortController();
    const first = run(connection, 'select pg_sleep(0.2)', [], { signal: new AbortController().signal });
    const waiting = run(connection, 'insert into unsent values (1, null)', [], { signal: stop.signal });
    stop.abort();
    await assert.rejects(waiting, (error) => error instanceof CancelledError && error.outcome === 'not-sent');
    await assert.rejects(run(connection, 'insert into unsent values (2, null)', [], { signal: stop.signal }), {
      outcome: 'not-sent',
    });
    await first;
    assert.equal(await one(connection, 'select count(*)::int4 from unsent'), 0);
  });

  test('never meets the next statement', async () => {
    for (let i = 0; i < 150; i++) {
      const stop = new AbortController();
      const short = run(connection, `select pg_sleep(${(i % 10) / 2000})`, [], { signal: stop.signal, prepare: false });
      const behind = one(connection, 'select 7');
      setTimeout(() => stop.abort(), i % 5);
      await short.catch((error: unknown) => assert.ok(error instanceof CancelledError));
      assert.equal(await behind, 7);
    }
  });

  test('between the statements of a batch is not lost', async () => {
    const stop = new AbortController();
    const batch = Array.from({ length: 2000 }, () => statement('select pg_sleep(0.005)'));
    const running = connection.submit(batch, nothing, { signal: stop.signal });
    setTimeout(() => stop.abort(), 30);
    await assert.rejects(running, CancelledError);
    assert.equal(await one(connection, 'select 1'), 1);
  });

  test('by method stops what runs; without anything running it is nothing', async () => {
    await connection.cancel();
    const sleeping = run(connection, 'select pg_sleep(30)');
    const behind = one(connection, 'select 7');
    setTimeout(() => void connection.cancel(), 30);
    await assert.rejects(sleeping, CancelledError);
    assert.equal(await behind.catch(() => 7), 7);
  });

  test('leaves no listener on a signal', async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const counted = new Proxy(signal, {
      get(target, name) {
        if (name === 'addEventListener') listeners += 1;
        if (name === 'removeEventListener') listeners -= 1;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    for (let i = 0; i < 20; i++) await run(connection, 'select 1', [], { signal: counted });
    assert.equal(listeners, 0);
  });
});

describe('a lost connection', () => {
  const terminate = (pid: number) => server.query('select pg_terminate_backend($1)', [pid]);
  const lostOf = (on: DriverConnection) =>
    new Promise<Error>((resolve) => {
      on.onLost = resolve;
    });

  test('when idle: told once, and the next call was not sent', async () => {
    let told = 0;
    const gone = new Promise<void>((resolve) => {
      connection.onLost = () => {
        told += 1;
        resolve();
        throw new Error('an owner that fails');
      };
    });
    await terminate(connection.identity.pid);
    await gone;
    await assert.rejects(
      run(connection, 'select 1'),
      (error) =>
        error instanceof ConnectionLostError &&
        error.outcome === 'not-sent' &&
        error.retryable &&
        error.sqlState === '57P01',
    );
    connection.destroy();
    assert.equal(told, 1);
  });

  test('in a statement: every batch is settled by its own connection alone', async () => {
    const other = await open(server.url);
    const fine = one(other, 'select pg_sleep(0.3)::text');
    const calls = Promise.allSettled([
      run(connection, 'select pg_sleep(30)'),
      run(connection, 'select 1'),
      run(connection, 'select 2', [], { signal: new AbortController().signal }),
      run(connection, 'select 3'),
    ]);
    await one(other, 'select 1').catch(() => {});
    await terminate(connection.identity.pid);
    const outcomes = await calls;
    for (const outcome of outcomes)
      assert.ok(outcome.status === 'rejected' && outcome.reason instanceof ConnectionLostError);
    assert.deepEqual(
      outcomes.map((outcome) => (outcome as PromiseRejectedResult).reason.outcome),
      // node-postgres sends one batch at a time.
      chosenWay.driver === 'pg'
        ? ['failed', 'not-sent', 'not-sent', 'not-sent']
        : ['failed', 'failed', 'failed', 'not-sent'],
    );
    await fine;
    await other.close();
  });

  test('idle in a transaction for too long is one error', async () => {
    await run(connection, `set idle_in_transaction_session_timeout = '50ms'`);
    const gone = lostOf(connection);
    await run(connection, 'begin');
    assert.ok((await gone) instanceof TransactionExpiredError);
    await assert.rejects(run(connection, 'commit'), TransactionExpiredError);
  });

  /** A way to the server that holds back what it answers, then breaks. */
  async function breakable(): Promise<{
    connection: DriverConnection;
    hold(): void;
    cut(): void;
    close(): Promise<void>;
  }> {
    let holding = false;
    const pairs: Socket[] = [];
    const proxy = createServer({ noDelay: true }, (near) => {
      const far = connectTcp({ host: server.host, port: server.port, noDelay: true });
      pairs.push(near, far);
      near.on('data', (bytes) => far.write(bytes));
      far.on('data', (bytes) => holding || near.write(bytes));
      for (const socket of [near, far]) socket.on('error', () => {});
      near.on('close', () => far.destroy());
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const through = new URL(server.url);
    through.port = String((proxy.address() as AddressInfo).port);
    const opened = await open(through.href);
    return {
      connection: opened,
      hold: () => {
        holding = true;
      },
      cut: () => {
        for (const socket of pairs) socket.resetAndDestroy();
      },
      close: async () => {
        opened.destroy();
        for (const socket of pairs) socket.destroy();
        proxy.close();
        await once(proxy, 'close');
      },
    };
  }

  test('without a word: failed in a transaction, unknown outside, COMMIT by its own class', async () => {
    await table('outcomes');
    const insert = statement(`insert into outcomes values (1, 'a')`);
    const rows: readonly (readonly [readonly DriverStatement[], readonly DriverStatement[], string, string])[] = [
      [[statement('begin')], [insert], 'ATH_CONNECTION_LOST', 'failed'],
      [[], [statement('begin'), insert], 'ATH_CONNECTION_LOST', 'failed'],
      [[], [statement('select 1')], 'ATH_CONNECTION_LOST', 'unknown'],
      [[statement('begin')], [statement('COMMIT')], 'ATH_COMMIT_OUTCOME_UNKNOWN', 'unknown'],
      [[], [statement('begin'), insert, statement('commit')], 'ATH_COMMIT_OUTCOME_UNKNOWN', 'unknown'],
      [[statement('begin')], [statement('rollback')], 'ATH_CONNECTION_LOST', 'failed'],
    ];
    for (const [first, then, code, outcome] of rows) {
      const way = await breakable();
      await way.connection.submit(first, nothing);
      way.hold();
      const pending = way.connection.submit(then, nothing);
      setTimeout(() => way.cut(), 40);
      await assert.rejects(pending, { code, outcome });
      await way.close();
    }
    assert.ok(new CommitOutcomeUnknownError('x').retryable === false);
  });

  test('a cancel that cannot be brought about gives the connection up', async () => {
    const way = await breakable();
    way.hold();
    const stop = new AbortController();
    const pending = run(way.connection, 'select 1', [], { signal: stop.signal });
    stop.abort(new Error('enough'));
    setTimeout(() => way.cut(), 100);
    await assert.rejects(pending, (error) => error instanceof CancelledError || error instanceof ConnectionLostError);
    await way.close();
  });

  test('by the whole server: a restart under many connections', async () => {
    const many = await Promise.all(Array.from({ length: 8 }, () => open(server.url)));
    const lost = many.map(lostOf);
    const running = Promise.allSettled(
      many.map((one, i) => (i % 2 === 0 ? run(one, 'select pg_sleep(30)') : Promise.resolve())),
    );
    await server.restart('fast');
    await Promise.all(lost);
    for (const outcome of (await running).filter((_, i) => i % 2 === 0))
      assert.ok(outcome.status === 'rejected' && outcome.reason instanceof ConnectionLostError);
    const again = await open(server.url);
    assert.equal(await one(again, 'select 1'), 1);
    await again.close();
  });

  test('on purpose: no loss is told, what was under way is settled', async () => {
    let told = 0;
    connection.onLost = () => {
      told += 1;
    };
    const pending = run(connection, 'select pg_sleep(30)');
    connection.destroy();
    await assert.rejects(pending, ConnectionLostError);
    const other = await open(server.url);
    other.onLost = connection.onLost;
    const sleeping = run(other, 'select pg_sleep(0.1)');
    const queued = run(other, 'select 1', [], { signal: new AbortController().signal });
    const closing = other.close();
    await Promise.all([sleeping, queued, closing]);
    await assert.rejects(run(other, 'select 1'), { outcome: 'not-sent' });
    assert.equal(told, 0);
  });

  test('by a session that leaves UTF-8, because what it reads would be wrong', async () => {
    const gone = lostOf(connection);
    await assert.rejects(run(connection, `set client_encoding to 'LATIN1'`));
    assert.match((await gone).message, /UTF8/);
  });
});
