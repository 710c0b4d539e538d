import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { literal, select } from '../../../src/sql/index.ts';
import {
  CancelledError,
  CommitOutcomeUnknownError,
  CommitRolledBackError,
  ConnectionLostError,
  DatabaseError,
  NestedCheckoutError,
  StateError,
  StatementTimeoutError,
  UniqueViolationError,
  UsageError,
} from '../../../src/errors/index.ts';
import { deferred } from '../../../src/primitives/deferred.ts';
import { settled } from '../../../src/testing/clock.ts';
import { engineFixture } from './engine-fixture.ts';

const never = new Promise<void>(() => {});

describe('commit as you go', () => {
  it('the first statement begins in the same write; commit and rollback end; close rolls back', async () => {
    const { engine, driver, ran } = engineFixture();
    const connection = await engine.connect();
    assert.deepEqual(ran(), []);
    await connection.raw('select a');
    await connection.raw('select b');
    assert.deepEqual(driver.connections[0]?.batches, [2, 1]);
    assert.equal(connection.inTransaction, true);
    await connection.commit();
    assert.equal(connection.inTransaction, false);
    await connection.commit();
    await connection.raw('select c');
    await connection.rollback();
    await connection.raw('select d');
    await connection.close();
    assert.deepEqual(ran(), [
      ...['BEGIN', 'select a', 'select b', 'COMMIT'],
      ...['BEGIN', 'select c', 'ROLLBACK'],
      ...['BEGIN', 'select d', 'ROLLBACK'],
    ]);
    assert.equal(engine.status.idle, 1);
    await assert.rejects(connection.raw('select e').all(), StateError);
  });

  it('statements of one tick go out in the order they were called, and commit comes behind them', async () => {
    const { engine, ran } = engineFixture();
    const connection = await engine.connect();
    const [first, second] = [connection.raw('select 1st'), connection.raw('select 2nd')];
    await connection.commit();
    assert.deepEqual(ran(), ['BEGIN', 'select 1st', 'select 2nd', 'COMMIT']);
    await Promise.all([first, second]);
    await connection.close();
  });

  it('begin() with a function commits when it returns and rolls back when it throws', async () => {
    const { engine, ran } = engineFixture();
    const connection = await engine.connect();
    assert.equal(await connection.begin(async () => (await connection.raw('select a')).length), 0);
    await assert.rejects(
      connection.begin(async () => {
        await connection.raw('select b');
        throw new RangeError('mine');
      }),
      RangeError,
    );
    assert.deepEqual(ran(), ['BEGIN', 'select a', 'COMMIT', 'BEGIN', 'select b', 'ROLLBACK']);
    await connection.raw('select c');
    await assert.rejects(connection.begin(), /open already/);
    await connection.close();
  });

  it('a handle ends once, by commit, rollback or disposal', async () => {
    const { engine, ran } = engineFixture();
    const connection = await engine.connect();
    const one = await connection.begin();
    await connection.raw('select a');
    await one.commit();
    assert.equal(one.isActive, false);
    await assert.rejects(one.commit(), StateError);
    await assert.rejects(one.rollback(), StateError);
    const two = await connection.begin();
    await connection.raw('select b');
    await two[Symbol.asyncDispose]();
    await two[Symbol.asyncDispose]();
    const three = await connection.begin();
    await connection.raw('select c');
    await connection.commit();
    assert.equal(three.isActive, false);
    await connection.close();
    assert.deepEqual(ran(), [
      ...['BEGIN', 'select a', 'COMMIT'],
      ...['BEGIN', 'select b', 'ROLLBACK'],
      ...['BEGIN', 'select c', 'COMMIT'],
    ]);
  });

  it('isolation, read only and autocommit', async () => {
    const { engine, ran } = engineFixture({ max: 1 });
    const strict = await engine.connect({ isolation: 'serializable', readOnly: true, deferrable: true });
    await strict.raw('select a');
    await strict.close();
    const loose = await engine.connect({ isolation: 'autocommit' });
    await loose.raw('select b');
    assert.equal(loose.inTransaction, false);
    await loose.commit();
    await loose.close();
    assert.deepEqual(ran(), [
      'BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE',
      'select a',
      'ROLLBACK',
      'select b',
    ]);
  });
});

describe('savepoints', () => {
  it('one that cannot be rolled back to fails the transaction, so that nothing of it is committed', async () => {
    const { engine, ran } = engineFixture();
    const abort = new AbortController();
    const transaction = await engine.begin({ signal: abort.signal });
    const { connection } = transaction;
    await connection.raw('select a');
    const nested = connection.beginNested(async () => {
      await connection.raw('select unwanted');
      abort.abort();
      throw new RangeError('not wanted');
    });
    await assert.rejects(nested, RangeError);
    const { signal } = new AbortController();
    await assert.rejects(connection.raw('select b', [], { signal }).all(), StateError);
    await assert.rejects(connection.commit({ signal }), StateError);
    await transaction.rollback();
    assert.equal(ran().at(-1), 'ROLLBACK');
    assert.ok(!ran().includes('COMMIT'));
    await connection.close();
  });

  it('nest to any depth, ride with the next statement, and leave no trace when unused', async () => {
    const { engine, driver, ran } = engineFixture();
    const connection = await engine.connect();
    await connection.beginNested(async () => {
      await connection.raw('select a');
      await assert.rejects(
        connection.beginNested(async () => {
          await connection.raw('select b');
          throw new RangeError('mine');
        }),
        RangeError,
      );
      await connection.beginNested(async () => {});
    });
    await connection.commit();
    assert.deepEqual(ran(), [
      ...['BEGIN', 'SAVEPOINT athanor_1', 'select a'],
      ...['SAVEPOINT athanor_2', 'select b', 'ROLLBACK TO SAVEPOINT athanor_2'],
      ...['RELEASE SAVEPOINT athanor_1', 'COMMIT'],
    ]);
    assert.deepEqual(driver.connections[0]?.batches, [3, 2, 1, 1, 1]);
    await connection.close();
  });

  it('rolling back to one heals a failed transaction; ending the outer one ends the inner ones', async () => {
    const { engine, driver, ran } = engineFixture();
    driver.script = ({ text }) =>
      text.sql === 'select wrong' ? { error: new UniqueViolationError('taken', { sqlState: '23505' }) } : undefined;
    const connection = await engine.connect();
    await connection.raw('select a');
    const inner = await connection.beginNested();
    await assert.rejects(connection.raw('select wrong').all(), UniqueViolationError);
    await assert.rejects(connection.raw('select b').all(), /failed earlier.*taken/s);
    await inner.rollback();
    await connection.raw('select c');
    const other = await connection.beginNested();
    const innermost = await connection.beginNested();
    await connection.raw('select d');
    await other.rollback();
    assert.equal(innermost.isActive, false);
    await assert.rejects(innermost.commit(), StateError);
    await connection.commit();
    assert.equal(ran().at(-1), 'COMMIT');
    await connection.close();
  });
});

describe('failure', () => {
  it('after a failed statement the transaction refuses work until rollback, naming the first failure', async () => {
    const { engine, driver, ran } = engineFixture();
    driver.script = ({ text }) =>
      text.sql === 'select wrong' ? { error: new DatabaseError('no such column', { sqlState: '42703' }) } : undefined;
    const connection = await engine.connect();
    await assert.rejects(connection.raw('select wrong').all(), (error: DatabaseError) => {
      assert.equal(error.statementIndex, 0, 'BEGIN is not the caller’s statement');
      assert.equal(error.connectionId, connection.connectionId);
      return true;
    });
    await assert.rejects(connection.raw('select a').all(), (error: StateError) => {
      assert.ok(error instanceof StateError);
      assert.match(error.message, /no such column/);
      assert.ok(error.cause instanceof DatabaseError);
      return true;
    });
    await connection.rollback();
    await connection.raw('select b');
    assert.deepEqual(ran(), ['BEGIN', 'ROLLBACK', 'BEGIN', 'select b']);
    await connection.close();
  });

  it("COMMIT's word is read: a transaction the server has rolled back is an error", async () => {
    const { engine, driver } = engineFixture();
    driver.script = ({ text }, on) => {
      if (text.sql !== 'COMMIT') return undefined;
      on.status = 'idle';
      return { command: 'ROLLBACK' };
    };
    const connection = await engine.connect();
    await connection.raw('select a');
    await assert.rejects(connection.commit(), CommitRolledBackError);
    assert.equal(connection.inTransaction, false);
    await assert.rejects(
      engine.begin(async (inner) => {
        await inner.raw('select b');
      }),
      CommitRolledBackError,
    );
    await connection.close();
  });

  it('a connection lost in COMMIT leaves an unknown outcome, one lost before it does not', async () => {
    const { engine, driver } = engineFixture();
    const gate = deferred<void>();
    driver.script = ({ text }) => (text.sql === 'COMMIT' ? { after: gate.promise } : undefined);
    const connection = await engine.connect();
    await connection.raw('select a');
    const committing = connection.commit();
    await settled();
    driver.connections[0]?.lose();
    gate.resolve();
    await assert.rejects(committing, (error: CommitOutcomeUnknownError) => {
      assert.ok(error instanceof CommitOutcomeUnknownError);
      assert.equal(error.outcome, 'unknown');
      assert.equal(error.retryable, false);
      assert.ok(error.cause instanceof ConnectionLostError);
      return true;
    });
    await connection.rollback();
    driver.script = () => undefined;
    await connection.raw('select b');
    driver.connections[1]?.lose();
    await assert.rejects(connection.commit(), ConnectionLostError);
    await connection.rollback();
    await connection.raw('select c');
    await connection.close();
    assert.equal(driver.attempts, 3);
  });

  it('a connection that died in the pool is replaced before anything was sent', async () => {
    const { engine, driver, ran } = engineFixture();
    await engine.begin((connection) => connection.raw('select a').all());
    // The driver learns of it only when it writes.
    Object.assign(driver.connections[0] ?? {}, {
      submit: () => Promise.reject(new ConnectionLostError('gone', { outcome: 'not-sent' })),
    });
    await engine.begin(async (connection) => {
      await connection.beginNested(() => connection.raw('select b').all());
    });
    assert.deepEqual(ran(1), ['BEGIN', 'SAVEPOINT athanor_1', 'select b', 'RELEASE SAVEPOINT athanor_1', 'COMMIT']);
  });

  it("a statement's error keeps the caller's file and line, from the driver's socket on", async () => {
    const { engine, driver } = engineFixture();
    driver.script = ({ text }) =>
      text.sql === 'select wrong'
        ? { after: new Promise((resolve) => setImmediate(resolve)), error: new DatabaseError('wrong') }
        : undefined;
    const connection = await engine.connect();
    async function mine(): Promise<void> {
      await connection.raw('select wrong');
    }
    await assert.rejects(mine(), (error: Error) => {
      assert.match(error.stack ?? '', /mine .*connection\.test\.ts:\d+/);
      return true;
    });
    await connection.rollback();
    async function asked(): Promise<void> {
      await connection.raw('select wrong').one();
    }
    await assert.rejects(asked(), (error: Error) => {
      assert.match(error.stack ?? '', /asked .*connection\.test\.ts:\d+/);
      return true;
    });
    await connection.close();
  });
});

describe('limits', () => {
  it('a timeout cancels on the server and keeps the connection', async () => {
    const { engine, driver } = engineFixture();
    driver.script = ({ text }) => (text.sql === 'select slow' ? { after: never } : undefined);
    const connection = await engine.connect();
    await assert.rejects(connection.raw('select slow', [], { timeout: 20 }).all(), (error: StatementTimeoutError) => {
      assert.ok(error instanceof StatementTimeoutError);
      assert.match(error.message, /did not end within 20 ms/);
      return true;
    });
    assert.equal(driver.connections[0]?.cancels, 1);
    await connection.rollback();
    await connection.raw('select a');
    await connection.close();
    assert.equal(driver.attempts, 1);
  });

  it('a signal cancels likewise, with its reason', async () => {
    const { engine, driver } = engineFixture();
    driver.script = ({ text }) => (text.sql === 'select slow' ? { after: never } : undefined);
    const connection = await engine.connect();
    const abort = new AbortController();
    const slow = connection.raw('select slow', [], { signal: abort.signal }).all();
    await settled();
    abort.abort(new RangeError('mine'));
    await assert.rejects(slow, (error: CancelledError) => {
      assert.ok(error instanceof CancelledError);
      assert.ok(error.cause instanceof RangeError);
      return true;
    });
    await connection.close();
    const fired = await engine.connect();
    await assert.rejects(
      fired.raw('select a', [], { signal: AbortSignal.abort() }).all(),
      (error: CancelledError) => error.outcome === 'not-sent',
    );
    assert.equal(fired.inTransaction, false);
    await fired.close();
  });

  it('a server deaf to the cancel loses the connection, within 250 ms of the deadline', async () => {
    const { engine, driver } = engineFixture();
    driver.script = ({ text }) => (text.sql === 'select slow' ? { after: never, deaf: true } : undefined);
    const connection = await engine.connect();
    const begun = performance.now();
    await assert.rejects(
      connection.raw('select slow', [], { timeout: 50 }).all(),
      (error: StatementTimeoutError) => error instanceof StatementTimeoutError && error.outcome === 'unknown',
    );
    assert.ok(performance.now() - begun < 300);
    assert.equal(driver.connections[0]?.destroys, 1);
    await connection.rollback();
    await connection.raw('select a');
    await connection.close();
    assert.equal(driver.attempts, 2);
  });

  it('what a withdrawn first statement leaves behind it still runs inside a transaction', async () => {
    const { engine, driver, ran } = engineFixture();
    const connection = await engine.connect();
    const submit = driver.connections[0]?.submit.bind(driver.connections[0]);
    Object.assign(driver.connections[0] ?? {}, {
      submit: async () => {
        Object.assign(driver.connections[0] ?? {}, { submit });
        await settled();
        throw new CancelledError('cancelled before it was sent', { outcome: 'not-sent' });
      },
    });
    const first = connection.raw('select first', [], { timeout: 1_000 }).all();
    const second = connection.raw('select second').all();
    await assert.rejects(first, CancelledError);
    await second;
    assert.deepEqual(ran(), ['BEGIN', 'select second']);
    await connection.close();
  });

  it('the limit of a whole transaction covers each of its statements', async () => {
    const { engine, driver } = engineFixture();
    driver.script = ({ text }) => (text.sql === 'select slow' ? { after: never } : undefined);
    await assert.rejects(
      engine.begin((connection) => connection.raw('select slow').all(), { timeout: 30 }),
      StatementTimeoutError,
    );
    assert.equal(driver.connections[0]?.status, 'idle');
  });
});

describe('raw SQL', () => {
  it('binds plain values and gives rows by name, by position, one value each', async () => {
    const { engine, driver } = engineFixture();
    const bound: unknown[] = [];
    driver.script = (statement) => {
      if (!statement.text.sql.startsWith('select')) return undefined;
      bound.push(statement.params, statement.text.params);
      return { rows: [[1, 'x']] };
    };
    const submit = driver.connect.bind(driver);
    driver.connect = async (options) => {
      const connection = await submit(options);
      const send = connection.submit.bind(connection);
      connection.submit = (batch, sink, wait) =>
        send(
          batch,
          {
            ...sink,
            row: (at, row) => sink.row(at, row),
            done: (at, how) => sink.done?.(at, how),
            fields: (at) =>
              sink.fields?.(at, [
                { name: 'id', type: 23 },
                { name: '__proto__', type: 25 },
              ]),
          },
          wait,
        );
      return connection;
    };
    const connection = await engine.connect();
    const when = new Date(0);
    const rows = await connection.raw('select $1', [1, 'a', 2n, true, null, when, { deep: 1 }]);
    assert.deepEqual(Object.entries(rows[0] ?? {}), [
      ['id', 1],
      ['__proto__', 'x'],
    ]);
    assert.deepEqual(bound.slice(0, 2), [
      [1, 'a', 2n, true, null, 0, '{"deep":1}'],
      [undefined, undefined, undefined, 'boolean', undefined, 'epoch', 'json'],
    ]);
    assert.deepEqual(await connection.raw('select 1').tuples(), [[1, 'x']]);
    assert.deepEqual(await connection.raw('select 1').scalars(), [1]);
    await connection.close();
  });

  it('many parameter sets are one batched call; sets that differ in length are refused', async () => {
    const { engine, driver } = engineFixture();
    const seen: unknown[] = [];
    driver.script = (statement) => {
      if (statement.sets !== undefined) seen.push(statement.sets);
      return statement.sets === undefined ? undefined : { count: statement.sets.length };
    };
    const connection = await engine.connect();
    assert.equal(
      await connection
        .rawMany('insert into t values ($1, $2)', [
          [1, 'a'],
          [2, null],
        ])
        .rowCount(),
      2,
    );
    assert.deepEqual(seen, [
      [
        [1, 'a'],
        [2, null],
      ],
    ]);
    assert.deepEqual(driver.connections[0]?.batches, [2]);
    await assert.rejects(connection.rawMany('insert into t values ($1, $2)', [[1, 'a'], [2]]).all(), UsageError);
    await connection.close();
  });
});

describe('callback scopes', () => {
  it('take a connection with the first statement and give it back in any case', async () => {
    const { engine, driver } = engineFixture({ max: 1 });
    await engine.begin(async () => {});
    assert.equal(driver.attempts, 0);
    await engine.begin((connection) => connection.raw('select a').all());
    await assert.rejects(
      engine.begin(async (connection) => {
        await connection.raw('select b');
        throw new RangeError('mine');
      }),
      RangeError,
    );
    assert.equal(engine.status.idle, 1);
  });

  it('a second connection inside one, with none left, fails at once and names the holder', async () => {
    const { engine } = engineFixture({ max: 1 });
    const begun = performance.now();
    await assert.rejects(
      engine.begin(async (connection) => {
        await connection.raw('select held');
        await engine.begin((other) => other.raw('select b').all());
      }),
      (error: NestedCheckoutError) => {
        assert.ok(error instanceof NestedCheckoutError);
        assert.match(error.message, /last statement: select held/);
        return true;
      },
    );
    assert.ok(performance.now() - begun < 200);
    assert.equal(engine.status.idle, 1);
  });

  it('begin() without a function gives a handle that gives the connection back when it ends', async () => {
    const { engine, ran } = engineFixture({ max: 1 });
    const transaction = await engine.begin();
    await transaction.connection.raw('select a');
    await transaction.commit();
    assert.equal(engine.status.idle, 1);
    const other = await engine.begin({ readOnly: true });
    await other.connection.raw('select b');
    await other[Symbol.asyncDispose]();
    assert.deepEqual(ran(), ['BEGIN', 'select a', 'COMMIT', 'BEGIN READ ONLY', 'select b', 'ROLLBACK']);
  });
});

it('a statement of the language runs through the compile cache', async () => {
  const { engine, driver } = engineFixture();
  driver.script = ({ text }) => (text.sql.startsWith('SELECT') ? { rows: [[7]] } : undefined);
  const connection = await engine.connect();
  const { answer } = await connection.execute(select({ answer: literal(7) })).one();
  assert.equal(answer, 7);
  assert.deepEqual(await connection.scalars(select({ answer: literal(7) })), [7]);
  assert.deepEqual(await connection.execute(select({ answer: literal(7) })).tuples(), [[7]]);
  await connection.close();
});
