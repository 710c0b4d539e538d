// The SQLite driver against SQLite itself: wire forms, batches, transactions, errors and what several connections to one file see.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createSqliteDriver } from '../../src/dialects/sqlite/driver/sqlite-driver.ts';
import { parseSqliteUrl } from '../../src/dialects/sqlite/url.ts';
import type {
  Completion,
  DriverConnection,
  DriverStatement,
  Field,
  Scalar,
  Sink,
  WireKind,
} from '../../src/driver/driver.ts';
import {
  CancelledError,
  CheckViolationError,
  CommitRolledBackError,
  ConnectError,
  DatabaseError,
  DataError,
  ForeignKeyViolationError,
  IntegrityError,
  LockTimeoutError,
  NotNullViolationError,
  NotTransferableError,
  OperationalError,
  ProgrammingError,
  SerializationFailureError,
  StateError,
  UniqueViolationError,
  UsageError,
} from '../../src/errors/index.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'athanor-sqlite-'));
});
after(() => rm(folder, { recursive: true, force: true }));

interface Recording extends Sink {
  readonly rows: Scalar[][];
  readonly described: (readonly Field[])[];
  readonly completions: Completion[];
}

function recording(): Recording {
  const rows: Scalar[][] = [];
  const described: (readonly Field[])[] = [];
  const completions: Completion[] = [];
  return {
    rows,
    described,
    completions,
    fields: (_, fields) => described.push(fields),
    row: (_, row) => rows.push(row),
    done: (_, completion) => completions.push(completion),
  };
}

interface Shape {
  readonly params?: readonly (WireKind | undefined)[];
  readonly results?: readonly (WireKind | undefined)[];
}

function statement(sql: string, params: readonly Scalar[] = [], shape: Shape = {}): DriverStatement {
  const kinds = shape.params ?? params.map(() => undefined);
  return { text: { sql, params: kinds, results: shape.results, prepare: true }, params };
}

async function run(connection: DriverConnection, ...batch: readonly (DriverStatement | string)[]): Promise<Recording> {
  const sink = recording();
  await connection.submit(
    batch.map((one) => (typeof one === 'string' ? statement(one) : one)),
    sink,
  );
  return sink;
}

async function memory(): Promise<DriverConnection> {
  return createSqliteDriver(parseSqliteUrl('sqlite::memory:')).connect();
}

function file(name: string, query = ''): Promise<DriverConnection> {
  return createSqliteDriver(parseSqliteUrl(`sqlite://${encodeURI(join(folder, name))}${query}`)).connect();
}

describe('wire forms', () => {
  test('every kind comes back exactly as it was sent', async () => {
    const connection = await memory();
    await run(connection, 'create table t (a, b, c, d, e, f, g, h) ');
    const kinds: WireKind[] = ['boolean', 'integer', 'bigint', 'float', 'text', 'bytes', 'epoch', 'json'];
    const values: Scalar[] = [
      true,
      Number.MAX_SAFE_INTEGER,
      -(2n ** 63n),
      0.1,
      'grüße 😀',
      new Uint8Array([0, 255]),
      Date.UTC(2011, 11, 30, 12, 0, 0, 1),
      '{"n":9007199254740993}',
    ];
    await run(
      connection,
      statement('insert into t values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)', values, { params: kinds }),
    );
    const { rows } = await run(connection, statement('select * from t', [], { results: kinds }));
    assert.deepEqual(rows, [values]);
    const bytes = rows[0]?.[5];
    assert.ok(bytes instanceof Uint8Array && bytes.buffer.byteLength === 2, 'bytes own their memory');
    await connection.close();
  });

  test('null is null in every kind', async () => {
    const connection = await memory();
    const kinds: WireKind[] = ['boolean', 'integer', 'bigint', 'float', 'text', 'bytes', 'epoch', 'json'];
    const nulls = kinds.map(() => null);
    const sql = 'select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8';
    assert.deepEqual((await run(connection, statement(sql, nulls, { params: kinds, results: kinds }))).rows, [nulls]);
    await connection.close();
  });

  test('an integer parameter is an integer to SQLite, a float a real', async () => {
    const connection = await memory();
    const { rows } = await run(
      connection,
      statement('select typeof(?1), typeof(?2), ?1 / 2', [5, 5], { params: ['integer', 'float'] }),
    );
    assert.deepEqual(rows, [['integer', 'real', 2]]);
    await connection.close();
  });

  test('two columns of one name stay two', async () => {
    const connection = await memory();
    const { rows, described } = await run(connection, 'select 1 as a, 2 as a');
    assert.deepEqual(rows, [[1, 2]]);
    assert.deepEqual(described, [
      [
        { name: 'a', type: '' },
        { name: 'a', type: '' },
      ],
    ]);
    await connection.close();
  });

  test('without a kind an integer is a number while it is safe and a bigint beyond', async () => {
    const connection = await memory();
    const { rows } = await run(connection, 'select 9007199254740991, 9007199254740992');
    assert.deepEqual(rows, [[9007199254740991, 9007199254740992n]]);
    await connection.close();
  });

  test('a sum beyond a JavaScript number is exact as text, between integers of the same row', async () => {
    const connection = await memory();
    const shape: Shape = { results: ['integer', 'text'] };
    assert.deepEqual((await run(connection, statement('select 1, 9007199254740993', [], shape))).rows, [
      [1, '9007199254740993'],
    ]);
    await connection.close();
  });

  test('what cannot be read without changing it is refused, and the connection goes on', async () => {
    const connection = await memory();
    const wrong: readonly (readonly [string, WireKind])[] = [
      ['select 9007199254740993', 'integer'],
      ['select 1.5', 'integer'],
      ['select 2', 'boolean'],
      ["select 'x'", 'integer'],
      ["select '2024-01-01 00:00:00.000001'", 'epoch'],
      ['select 1700000000', 'epoch'],
      ["select 'x'", 'bytes'],
      ["select x'00'", 'text'],
      ['select 9007199254740993', 'float'],
    ];
    for (const [sql, kind] of wrong) {
      await assert.rejects(run(connection, statement(sql, [], { results: [kind] })), (error) => {
        assert.ok(error instanceof DataError, `${sql} as ${kind}: ${String(error)}`);
        assert.doesNotMatch(error.message, /9007199254740993|1700000000/);
        return true;
      });
    }
    assert.deepEqual((await run(connection, 'select 1')).rows, [[1]]);
    await connection.close();
  });

  test('a parameter too many or too few is refused instead of read as NULL', async () => {
    const connection = await memory();
    const text = { sql: 'select ?1, ?2', params: [undefined, undefined], results: undefined, prepare: true };
    await assert.rejects(connection.submit([{ text, params: [1] }], recording()), ProgrammingError);
    await assert.rejects(connection.submit([{ text, params: [1, 2, 3] }], recording()), ProgrammingError);
    await connection.close();
  });
});

describe('batches', () => {
  test('commands and counts are those of each statement', async () => {
    const connection = await memory();
    const { completions } = await run(
      connection,
      'create table t (id integer primary key, a text)',
      "insert into t (a) values ('x'), ('y')",
      "update t set a = 'z'",
      'select * from t',
      "insert into t (a) values ('w') returning id",
      'create index i on t (a)',
    );
    assert.deepEqual(completions, [
      { command: 'CREATE', count: undefined },
      { command: 'INSERT', count: 2 },
      { command: 'UPDATE', count: 2 },
      { command: 'SELECT', count: 2 },
      { command: 'INSERT', count: 1 },
      { command: 'CREATE', count: undefined },
    ]);
    await connection.close();
  });

  test('several parameter sets run in order, give their rows in order and count together', async () => {
    const connection = await memory();
    await run(connection, 'create table t (id integer primary key, a text)');
    const sink = recording();
    const insert = statement('insert into t (a) values (?1) returning id, a', ['x']);
    await connection.submit([{ ...insert, sets: [['p'], ['q'], ['r']] }], sink);
    assert.deepEqual(sink.rows, [
      [1, 'p'],
      [2, 'q'],
      [3, 'r'],
    ]);
    assert.equal(sink.described.length, 1);
    assert.deepEqual(sink.completions, [{ command: 'INSERT', count: 3 }]);
    await connection.close();
  });

  test('the first failure ends the batch, is named by its index, and undoes a batch outside a transaction', async () => {
    const connection = await memory();
    await run(connection, 'create table t (id integer primary key)');
    await assert.rejects(
      run(connection, 'insert into t values (1)', 'insert into t values (1)', 'insert into t values (2)'),
      (error) => error instanceof UniqueViolationError && error.statementIndex === 1,
    );
    assert.equal(connection.status, 'idle');
    assert.deepEqual((await run(connection, 'select count(*) from t')).rows, [[0]]);
    await connection.close();
  });

  test('a failing parameter set undoes the sets before it', async () => {
    const connection = await memory();
    await run(connection, 'create table t (id integer primary key)');
    const insert = statement('insert into t values (?1)', [1]);
    await assert.rejects(connection.submit([{ ...insert, sets: [[1], [2], [1]] }], recording()), UniqueViolationError);
    assert.deepEqual((await run(connection, 'select count(*) from t')).rows, [[0]]);
    await connection.close();
  });

  test('what a batch did before its BEGIN joins that transaction', async () => {
    const connection = await memory();
    await run(connection, 'create table t (id integer primary key)');
    await run(connection, 'insert into t values (1)', 'begin', 'insert into t values (2)');
    assert.equal(connection.status, 'transaction');
    await run(connection, 'rollback');
    assert.deepEqual((await run(connection, 'select count(*) from t')).rows, [[0]]);
    await connection.close();
  });

  test('a COMMIT that fails on a deferred key leaves nothing of the batch', async () => {
    const connection = await memory();
    await run(
      connection,
      'create table p (id integer primary key)',
      'create table c (p integer references p deferrable initially deferred)',
    );
    await assert.rejects(
      run(connection, 'insert into p values (1)', 'insert into c values (9)'),
      (error) => error instanceof ForeignKeyViolationError && error.statementIndex === 1,
    );
    assert.equal(connection.status, 'idle');
    assert.deepEqual((await run(connection, 'select count(*) from p')).rows, [[0]]);
    await connection.close();
  });

  test('a second statement in one text is refused before anything runs', async () => {
    const connection = await memory();
    await assert.rejects(run(connection, 'create table t (a); create table u (a)'), UsageError);
    assert.deepEqual((await run(connection, 'select count(*) from sqlite_schema')).rows, [[0]]);
    await connection.close();
  });

  test('an aborted signal stops the batch at the next statement', async () => {
    const connection = await memory();
    const abort = new AbortController();
    const sink: Sink = { row: () => abort.abort(new RangeError('enough')) };
    await assert.rejects(
      connection.submit([statement('select 1'), statement('create table t (a)')], sink, { signal: abort.signal }),
      (error) => error instanceof CancelledError && error.cause instanceof RangeError,
    );
    assert.deepEqual((await run(connection, 'select count(*) from sqlite_schema')).rows, [[0]]);
    await connection.close();
  });

  test('a sink that throws fails the batch and ends the connection', async () => {
    const connection = await memory();
    const broken = new RangeError('sink');
    const sink: Sink = {
      row() {
        throw broken;
      },
    };
    await assert.rejects(connection.submit([statement('select 1')], sink), broken);
    assert.equal(connection.status, 'closed');
    await assert.rejects(run(connection, 'select 1'), StateError);
  });

  test('a prepared text sees a changed schema', async () => {
    const connection = await memory();
    await run(connection, 'create table t (a)', 'insert into t values (1)');
    const all = statement('select * from t');
    assert.deepEqual((await run(connection, all)).rows, [[1]]);
    await run(connection, 'alter table t add column b default 2');
    const { rows, described } = await run(connection, all);
    assert.deepEqual(rows, [[1, 2]]);
    assert.equal(described[0]?.length, 2);
    await connection.close();
  });
});

describe('transactions', () => {
  test('status follows BEGIN, savepoints, COMMIT and ROLLBACK', async () => {
    const connection = await memory();
    const seen = [connection.status];
    for (const sql of [
      'begin',
      'savepoint a',
      'rollback to a',
      'release a',
      'commit',
      'savepoint b',
      'release b',
      'rollback',
    ]) {
      await run(connection, sql);
      seen.push(connection.status);
    }
    const [open, none] = ['transaction', 'idle'] as const;
    assert.deepEqual(seen, [none, open, open, open, open, none, open, none, none]);
    await connection.close();
    assert.equal(connection.status, 'closed');
  });

  test('a statement that fails leaves the transaction open', async () => {
    const connection = await memory();
    await run(connection, 'create table t (id integer primary key)');
    await run(connection, 'begin', 'insert into t values (1)');
    await assert.rejects(run(connection, 'insert into t values (1)'), UniqueViolationError);
    assert.equal(connection.status, 'transaction');
    await run(connection, 'commit');
    assert.deepEqual((await run(connection, 'select count(*) from t')).rows, [[1]]);
    await connection.close();
  });

  test('a transaction that SQLite itself rolled back is failed until ROLLBACK, and its COMMIT is an error', async () => {
    const connection = await memory();
    await run(connection, 'create table t (id integer primary key)');
    const lose = async (): Promise<void> => {
      await run(connection, 'begin', 'insert into t values (1)');
      await assert.rejects(run(connection, 'insert or rollback into t values (1)'), UniqueViolationError);
      assert.equal(connection.status, 'failed');
    };
    await lose();
    await assert.rejects(run(connection, 'insert into t values (2)'), OperationalError);
    await run(connection, 'rollback');
    assert.equal(connection.status, 'idle');
    await lose();
    await assert.rejects(run(connection, 'commit'), CommitRolledBackError);
    assert.equal(connection.status, 'idle');
    assert.deepEqual((await run(connection, 'select count(*) from t')).rows, [[0]]);
    await connection.close();
  });
});

describe('errors', () => {
  test('a full database is named, and the transaction that SQLite dropped with it is known to be gone', async () => {
    const connection = await memory();
    await run(connection, 'create table t (a)', 'pragma max_page_count = 20');
    await run(connection, 'begin', 'insert into t values (1)');
    await assert.rejects(run(connection, 'insert into t values (zeroblob(1000000))'), (error) => {
      return error instanceof OperationalError && error.sqlState === 'SQLITE_FULL' && !error.retryable;
    });
    assert.equal(connection.status, 'failed');
    await run(connection, 'rollback');
    assert.deepEqual((await run(connection, 'select count(*) from t')).rows, [[0]]);
    await connection.close();
  });

  test('constraints become their classes, with table, column and constraint', async () => {
    const connection = await memory();
    await run(
      connection,
      'create table t (id integer primary key, a text not null unique, b int constraint positive check (b > 0), c references t)',
      'create unique index two on t (a, b)',
      'create unique index by_lower on t (lower(a))',
      'create table s (n int) strict',
      "insert into t values (1, 'x', 1, null)",
      "create trigger no after delete on t begin select raise(abort, 'never deleted'); end",
    );
    const cases: readonly (readonly [string, new (...args: never[]) => DatabaseError, Partial<DatabaseError>])[] = [
      ["insert into t values (1, 'y', 1, null)", UniqueViolationError, { table: 't', column: 'id' }],
      ["insert into t values (2, 'X', 9, null)", UniqueViolationError, { constraint: 'by_lower' }],
      ['insert into t values (2, null, 1, null)', NotNullViolationError, { table: 't', column: 'a' }],
      ["insert into t values (2, 'y', 0, null)", CheckViolationError, { constraint: 'positive' }],
      ["insert into t values (2, 'y', 1, 7)", ForeignKeyViolationError, { sqlState: 'SQLITE_CONSTRAINT_FOREIGNKEY' }],
      ["insert into s values ('y')", DataError, { table: 's', column: 'n' }],
      ['delete from t', IntegrityError, { sqlState: 'SQLITE_CONSTRAINT_TRIGGER' }],
      ['selec 1', ProgrammingError, { sqlState: 'SQLITE_ERROR' }],
      ['select nope from t', ProgrammingError, {}],
    ];
    for (const [sql, Kind, facts] of cases) {
      await assert.rejects(run(connection, sql), (error) => {
        assert.ok(error instanceof Kind && error instanceof DatabaseError, `${sql}: ${String(error)}`);
        for (const [name, value] of Object.entries(facts))
          assert.equal(Reflect.get(error, name), value, `${sql}: ${name}`);
        assert.equal(error.sql, sql);
        assert.ok(!JSON.stringify(error).includes(sql), 'the text stays out of JSON');
        return true;
      });
    }
    await connection.close();
  });

  test('a value never shows in the message or JSON of an error', async () => {
    const connection = await memory();
    await run(connection, 'create table t (a text unique)');
    const insert = statement('insert into t values (?1)', ['canary-4711']);
    await run(connection, insert);
    await assert.rejects(run(connection, insert), (error) => {
      assert.ok(error instanceof UniqueViolationError);
      assert.doesNotMatch(`${error.stack}${JSON.stringify(error)}`, /canary/);
      return true;
    });
    await connection.close();
  });

  test('a file that cannot be opened, or is no database, is a ConnectError naming it', async () => {
    await assert.rejects(
      file('none/at/all.db'),
      (error) => error instanceof ConnectError && /all\.db/.test(error.message),
    );
    await writeFile(
      join(folder, 'text.db'),
      'this is not a database, and long enough to be read as a header of one. '.repeat(9),
    );
    await assert.rejects(
      file('text.db'),
      (error) => error instanceof ConnectError && error.sqlState === 'SQLITE_NOTADB',
    );
  });
});

describe('connections', () => {
  test('a file gets foreign keys and write-ahead logging', async () => {
    const connection = await file('set up.db');
    assert.deepEqual((await run(connection, 'pragma foreign_keys', 'pragma journal_mode')).rows, [[1], ['wal']]);
    await connection.close();
  });

  test('many connections may open one new file at once', async () => {
    const connections = await Promise.all(Array.from({ length: 20 }, () => file('at-once.db')));
    await Promise.all(connections.map((connection) => connection.close()));
  });

  test('a writer meets a locked database as LockTimeoutError, after its busyTimeout', async () => {
    const first = await file('locked.db', '?busyTimeout=50');
    const second = await file('locked.db', '?busyTimeout=50');
    await run(first, 'create table t (a)');
    await run(first, 'begin immediate');
    const started = performance.now();
    await assert.rejects(run(second, 'insert into t values (1)'), (error) => {
      return error instanceof LockTimeoutError && error.retryable;
    });
    assert.ok(performance.now() - started >= 40);
    await run(first, 'rollback');
    await run(second, 'insert into t values (1)');
    await Promise.all([first.close(), second.close()]);
  });

  test('a lock is waited for without holding the thread: its holder in the same process goes on', async () => {
    const first = await file('same-process.db');
    const second = await file('same-process.db');
    await run(first, 'create table t (a)', 'insert into t values (0)');
    const increment = async (connection: DriverConnection): Promise<void> => {
      for (let count = 0; count < 20; count++) {
        await run(connection, 'begin immediate');
        await new Promise(setImmediate);
        await run(connection, 'update t set a = a + 1');
        await new Promise(setImmediate);
        await run(connection, 'commit');
      }
    };
    await Promise.all([increment(first), increment(second)]);
    assert.deepEqual((await run(first, 'select a from t')).rows, [[40]]);
    await Promise.all([first.close(), second.close()]);
  });

  test('what comes while a lock is waited for is answered in order, and nothing of it is done twice', async () => {
    const first = await file('in-order.db');
    const second = await file('in-order.db');
    await run(first, 'create table t (id integer primary key, a text)');
    await run(first, 'begin immediate');
    const ended: string[] = [];
    const insert = (text: string): Promise<void> =>
      run(second, `insert into t (a) values ('${text}')`, 'select 1').then(() => void ended.push(text));
    const sent = [insert('a'), insert('b'), run(second, 'select 1').then(() => void ended.push('read')), insert('c')];
    await new Promise(setImmediate);
    assert.deepEqual(ended, []);
    await run(first, 'commit');
    await Promise.all(sent);
    assert.deepEqual(ended, ['a', 'b', 'read', 'c']);
    assert.deepEqual((await run(first, 'select id, a from t order by id')).rows, [
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
    ]);
    await Promise.all([first.close(), second.close()]);
  });

  test('a signal and the end of the connection end the wait for a lock', async () => {
    const first = await file('given-up.db');
    const second = await file('given-up.db');
    await run(first, 'create table t (a)');
    await run(first, 'begin immediate');
    const abort = new AbortController();
    const cancelled = second.submit([statement('begin immediate')], recording(), { signal: abort.signal });
    const cut = second.submit([statement('begin immediate')], recording());
    abort.abort();
    await assert.rejects(cancelled, CancelledError);
    assert.equal(second.status, 'idle');
    second.destroy();
    await assert.rejects(cut, StateError);
    await first.close();
  });

  test('a transaction whose snapshot is outdated cannot write, and may be run again', async () => {
    const first = await file('snapshot.db');
    const second = await file('snapshot.db');
    await run(first, 'create table t (a)');
    await run(first, 'begin', 'select count(*) from t');
    await run(second, 'insert into t values (1)');
    await assert.rejects(run(first, 'insert into t values (2)'), (error) => {
      return error instanceof SerializationFailureError && error.retryable;
    });
    await run(first, 'rollback', 'insert into t values (2)');
    await Promise.all([first.close(), second.close()]);
  });

  test('closing inside a transaction undoes it', async () => {
    const first = await file('closing.db');
    await run(first, 'create table t (a)');
    await run(first, 'begin', 'insert into t values (1)');
    await first.close();
    const second = await file('closing.db');
    assert.deepEqual((await run(second, 'select count(*) from t')).rows, [[0]]);
    await second.close();
  });

  test('a read-only connection refuses to write', async () => {
    const writer = await file('read-only.db');
    await run(writer, 'create table t (a)');
    const reader = await file('read-only.db', '?mode=ro');
    await assert.rejects(run(reader, 'insert into t values (1)'), OperationalError);
    await Promise.all([reader.close(), writer.close()]);
  });

  test('a database in memory has one connection at a time', async () => {
    const driver = createSqliteDriver(parseSqliteUrl('sqlite::memory:'));
    const first = await driver.connect();
    await assert.rejects(driver.connect(), StateError);
    await first.close();
    await (await driver.connect()).close();
  });

  test('an aborted signal keeps a connection from being opened', async () => {
    const driver = createSqliteDriver(parseSqliteUrl('sqlite::memory:'));
    await assert.rejects(driver.connect({ signal: AbortSignal.abort() }), CancelledError);
  });

  test('a connection cannot be sent, and its JSON is its status', async () => {
    const connection = await memory();
    assert.throws(() => structuredClone(connection), NotTransferableError);
    assert.deepEqual(JSON.parse(JSON.stringify(connection)), { object: 'A SQLite connection', status: 'idle' });
    await connection.close();
  });
});
