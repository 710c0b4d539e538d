import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  CommitRolledBackError,
  ConnectionLostError,
  DeadlockError,
  insert,
  MultipleResultsError,
  NoResultError,
  PoolClosedError,
  ProgrammingError,
  select,
  SerializationFailureError,
  StateError,
  StatementTimeoutError,
  UniqueViolationError,
  UsageError,
} from '../../src/index.ts';
import type { Connection } from '../../src/engine/connection.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { metadata, Item, type Place, places } from './engine-kit.ts';
import { pooled } from '../ways.ts';

async function names(engine: Engine): Promise<string[]> {
  return engine.begin(async (connection) => [
    ...(await connection.raw<{ name: string }>('select name from item order by id')).map(({ name }) => name),
  ]);
}

for (const [name, open] of Object.entries(places)) {
  describe(`engine on ${name}`, () => {
    let place: Place;
    before(async () => {
      place = await open();
    });
    after(() => place.stop());

    it('[F004] commit as you go: the first statement begins, commit and rollback end, close rolls back', async () => {
      const engine = await place.engine();
      const connection = await engine.connect();
      assert.equal(connection.inTransaction, false);
      await connection.execute(insert(Item).values({ id: 1, name: 'kept' }));
      assert.equal(connection.inTransaction, true);
      await connection.commit();
      await connection.execute(insert(Item).values({ id: 2, name: 'undone' }));
      await connection.rollback();
      await connection.execute(insert(Item).values({ id: 3, name: 'forgotten' }));
      await connection.close();
      assert.deepEqual(await names(engine), ['kept']);
      await assert.rejects(connection.raw('select 1').all(), StateError);
    });

    it('[F005] begin: commit on success, rollback on failure, for engine and connection, by callback and by handle', async () => {
      const engine = await place.engine();
      await engine.begin((connection) => connection.execute(insert(Item).values({ id: 1, name: 'a' })).all());
      await assert.rejects(
        engine.begin(async (connection) => {
          await connection.execute(insert(Item).values({ id: 2, name: 'b' }));
          throw new RangeError('mine');
        }),
        RangeError,
      );
      const connection = await engine.connect();
      await connection.begin(() => connection.execute(insert(Item).values({ id: 3, name: 'c' })).all());
      const transaction = await connection.begin();
      await connection.execute(insert(Item).values({ id: 4, name: 'd' }));
      await transaction.rollback();
      await connection.close();
      const handle = await engine.begin();
      await handle.connection.execute(insert(Item).values({ id: 5, name: 'e' }));
      await handle.commit();
      assert.deepEqual(await names(engine), ['a', 'c', 'e']);
    });

    it('[F006] savepoints: any depth, released, rolled back, healing a failure, refused after their end', async () => {
      const engine = await place.engine();
      await engine.begin(async (connection) => {
        await connection.execute(insert(Item).values({ id: 1, name: 'a' }));
        await connection.beginNested(async () => {
          await connection.execute(insert(Item).values({ id: 2, name: 'b' }));
          await assert.rejects(
            connection.beginNested(async () => {
              await connection.execute(insert(Item).values({ id: 3, name: 'c' }));
              await connection.execute(insert(Item).values({ id: 1, name: 'twice' }));
            }),
            UniqueViolationError,
          );
          await connection.execute(insert(Item).values({ id: 4, name: 'd' }));
        });
        const outer = await connection.beginNested();
        const inner = await connection.beginNested();
        await connection.execute(insert(Item).values({ id: 5, name: 'e' }));
        await outer.rollback();
        await assert.rejects(inner.commit(), StateError);
        await assert.rejects(outer.rollback(), StateError);
      });
      assert.deepEqual(await names(engine), ['a', 'b', 'd']);
    });

    it('a statement that ends the transaction by itself is told, and nothing runs behind it unprotected', async () => {
      const engine = await place.engine();
      for (const end of ['rollback', 'commit']) {
        const connection = await engine.connect();
        await connection.execute(insert(Item).values({ id: end === 'commit' ? 2 : 1, name: end }));
        await assert.rejects(connection.raw(end).all(), StateError);
        await assert.rejects(connection.execute(insert(Item).values({ id: 3, name: 'c' })).all(), StateError);
        await assert.rejects(connection.commit(), StateError);
        await connection.rollback();
        await connection.execute(insert(Item).values({ id: 4, name: 'd' }));
        await connection.rollback();
        await connection.close();
      }
      assert.deepEqual(await names(engine), ['commit']);
    });

    it('a savepoint whose first statement could not be sent is set with the next, or undone without a word', async () => {
      const engine = await place.engine();
      const add = (connection: Connection, id: number): Promise<unknown> =>
        connection.execute(insert(Item).values({ id, name: String(id) })).all();
      await engine.begin(async (connection) => {
        await add(connection, 1);
        for (const id of [2, 3]) {
          const savepoint = await connection.beginNested();
          await assert.rejects(connection.raw("select '\0'").all(), UsageError);
          if (id === 3) await add(connection, id);
          await savepoint.rollback();
        }
        await add(connection, 4);
      });
      assert.deepEqual(await names(engine), ['1', '4']);
    });

    it('rows: all, first, one, one or none, by name, by position, one value each, and how many were affected', async () => {
      const engine = await place.engine();
      await engine.begin(async (connection) => {
        const two = [
          { id: 1, name: 'a' },
          { id: 2, name: 'b' },
        ];
        assert.equal(await connection.execute(insert(Item).values(two)).rowCount(), 2);
        const query = select(Item.c.id, Item.c.name).orderBy(Item.c.id);
        assert.deepEqual(await connection.execute(query), two);
        assert.deepEqual(await connection.execute(query).first(), two[0]);
        assert.deepEqual(await connection.execute(query).tuples(), [
          [1, 'a'],
          [2, 'b'],
        ]);
        assert.deepEqual(await connection.scalars(query), [1, 2]);
        await assert.rejects(connection.execute(query).one(), MultipleResultsError);
        const third = query.where(Item.c.id.eq(3));
        assert.equal(await connection.execute(third).oneOrNone(), null);
        await assert.rejects(connection.execute(third).one(), NoResultError);
      });
    });

    it('[F015] below the language: SQL as it is, and the driver’s own connection', async () => {
      const engine = await place.engine();
      const connection = await engine.connect();
      const placeholder = name === 'postgresql' ? '$1' : '?';
      await connection.raw(`insert into item values (1, ${placeholder})`, ["it's"]);
      assert.deepEqual(await connection.raw('select id, name from item'), [{ id: 1, name: "it's" }]);
      const rows: unknown[] = [];
      const text = { sql: 'select name from item', params: [], results: undefined, prepare: false };
      await connection.driverConnection.submit([{ text, params: [] }], { row: (_, row) => rows.push(row) });
      assert.deepEqual(rows, [["it's"]]);
      assert.equal(connection.driverConnection.status, 'transaction');
      await connection.close();
      assert.throws(() => connection.driverConnection, StateError);
    });

    it('[F016] many parameter sets are one batched call, and must be alike', async () => {
      const engine = await place.engine();
      const placeholders = name === 'postgresql' ? '$1, $2' : '?, ?';
      await engine.begin(async (connection) => {
        const sets = Array.from({ length: 500 }, (_, id) => [id, `n${id}`]);
        assert.equal(await connection.rawMany(`insert into item values (${placeholders})`, sets).rowCount(), 500);
        await assert.rejects(
          connection.rawMany(`insert into item values (${placeholders})`, [[501, 'x'], [502]]).all(),
          UsageError,
        );
      });
      assert.equal((await names(engine)).length, 500);
    });

    it('an error of the database is of its class, knows its connection, and keeps the caller’s line', async () => {
      const engine = await place.engine();
      const connection = await engine.connect();
      await connection.execute(insert(Item).values({ id: 1, name: 'a' }));
      async function mine(): Promise<void> {
        await connection.execute(insert(Item).values({ id: 1, name: 'secret' }));
      }
      await assert.rejects(mine(), (error: UniqueViolationError) => {
        assert.ok(error instanceof UniqueViolationError);
        assert.equal(error.connectionId, connection.connectionId);
        assert.equal(error.statementIndex, 0);
        assert.match(error.stack ?? '', /mine .*engine\.test\.ts:\d+/);
        assert.doesNotMatch(JSON.stringify(error), /secret/);
        return true;
      });
      await connection.rollback();
      await assert.rejects(connection.raw('selekt 1').all(), ProgrammingError);
      await connection.rollback();
      await connection.close();
    });

    it('[F019] dispose() closes what is idle at once, the rest on return, and the engine goes on', async () => {
      const engine = await place.engine();
      const out = await engine.connect();
      await out.raw('select 1');
      await engine.dispose();
      assert.equal(engine.status.open, 1);
      await out.execute(insert(Item).values({ id: 1, name: 'a' }));
      await out.commit();
      await out.close();
      await engine.dispose();
      assert.equal(engine.status.open, 0);
      assert.deepEqual(await names(engine), ['a']);
      await engine.close();
      assert.equal(engine.status.open, 0);
      await assert.rejects(engine.connect(), PoolClosedError);
    });

    it('createAll from many connections at once is done by one, and harmless for the others', async () => {
      const engine = await place.engine();
      await metadata.dropAll(engine);
      await Promise.all(Array.from({ length: 4 }, () => metadata.createAll(engine)));
      assert.deepEqual(await names(engine), []);
    });

    it('a connection used by another process or thread is refused, and dispose() leaves it untouched', async () => {
      const engine = await place.engine();
      const connection = await engine.connect();
      const { pid } = process;
      Object.defineProperty(process, 'pid', { value: pid + 1, configurable: true, writable: true });
      try {
        await assert.rejects(connection.raw('select 1').all(), { code: 'ATH_FOREIGN_OWNER' });
        await assert.rejects(engine.connect(), { code: 'ATH_FOREIGN_OWNER' });
      } finally {
        Object.defineProperty(process, 'pid', { value: pid, configurable: true, writable: true });
      }
      await connection.rollback();
      assert.deepEqual(await connection.raw('select 1 as one').one(), { one: 1 });
      await connection.close();
    });
  });
}

describe('engine on a PostgreSQL server', () => {
  let place: Place;
  before(async () => {
    place = await places.postgresql();
  });
  after(() => place.stop());

  const backend = (connection: { raw(sql: string): { scalars(): PromiseLike<unknown[]> } }): PromiseLike<unknown[]> =>
    connection.raw('select pg_backend_pid()').scalars();

  it("COMMIT's word is read", async () => {
    const engine = await place.engine();
    const executor = engine.executor();
    await executor.submit([], { row() {} });
    const connection = await engine.connect();
    await assert.rejects(connection.raw('select wrong').all(), ProgrammingError);
    await assert.rejects(connection.commit(), (error: CommitRolledBackError) => {
      assert.ok(error instanceof CommitRolledBackError);
      assert.ok(error.cause instanceof ProgrammingError);
      return true;
    });
    await connection.close();
    await executor.close();
  });

  it('a deadline cancels on the server, in time, and the connection goes on', async () => {
    const engine = await place.engine();
    const connection = await engine.connect();
    const [pid] = await backend(connection);
    await connection.commit();
    const begun = performance.now();
    await assert.rejects(connection.raw('select pg_sleep(30)', [], { timeout: 150 }).all(), StatementTimeoutError);
    assert.ok(performance.now() - begun < 400);
    const running = await place.server?.query(
      `select 1 from pg_stat_activity where query like '%pg_sleep(30)' and state = 'active' and pid = $1`,
      [pid],
    );
    assert.deepEqual(running, []);
    await connection.rollback();
    assert.deepEqual(await backend(connection), [pid]);
    await connection.close();
  });

  it('[F020] a lost connection takes its generation with it; it is usable again after rollback', {
    skip: pooled,
  }, async () => {
    const engine = await place.engine();
    const connection = await engine.connect();
    const other = await engine.connect();
    const before = [...(await backend(connection)), ...(await backend(other))];
    await other.close();
    await place.server?.query('select pg_terminate_backend($1::int)', [before[0]]);
    await assert.rejects(connection.raw('select 1').all(), ConnectionLostError);
    await assert.rejects(connection.raw('select 1').all(), StateError);
    await connection.rollback();
    const [pid] = await backend(connection);
    assert.ok(!before.includes(pid));
    assert.equal(engine.status.open, 1, 'the idle one of the same age is gone too');
    await connection.close();
  });

  it('[T06] idle connections that are terminated harm nobody: the next operation works', {
    skip: pooled,
  }, async () => {
    const engine = await place.engine();
    const connections = await Promise.all([engine.connect(), engine.connect(), engine.connect()]);
    for (const connection of connections) await connection.close();
    const lost = new Promise<void>((resolve) => {
      let count = 0;
      engine.pool.on('invalidate', () => {
        count += 1;
        if (count === 3) resolve();
      });
    });
    await place.server?.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
    );
    await lost;
    assert.equal(engine.status.open, 0);
    const begun = performance.now();
    assert.deepEqual(await names(engine), []);
    assert.ok(performance.now() - begun < 1_000);
  });

  it('a write skew is run again until it is serialisable, a deadlock until it is none', async () => {
    const engine = await place.engine();
    await engine.begin((connection) => connection.raw(`insert into item values (1, 'on'), (2, 'on')`).all());
    let runs = 0;
    let readers = 0;
    // Each turns one off if both are on: run one after the other, one stays on.
    const turnOff = (id: number): Promise<void> =>
      engine.transaction(
        async (connection) => {
          runs += 1;
          const on = await connection.raw(`select id from item where name = 'on'`);
          readers += 1;
          if (readers === 2) meet();
          await both;
          if (on.length === 2) await connection.raw(`update item set name = 'off' where id = $1`, [id]);
        },
        { isolation: 'serializable', retries: 20 },
      );
    let meet = (): void => {};
    const both = new Promise<void>((resolve) => {
      meet = resolve;
    });
    await Promise.all([turnOff(1), turnOff(2)]);
    // The loser may be told before the winner's commit is to be seen, run again at once, and lose once more.
    assert.ok(runs >= 3, `${runs} runs`);
    assert.equal((await names(engine)).filter((state) => state === 'on').length, 1);

    let deadlocks = 0;
    let first = 0;
    let cross = (): void => {};
    const crossed = new Promise<void>((resolve) => {
      cross = resolve;
    });
    const swap = (one: number, other: number): Promise<void> =>
      engine.transaction(
        async (connection) => {
          await connection.raw('update item set name = name where id = $1', [one]);
          first += 1;
          if (first === 2) cross();
          await crossed;
          await connection.raw('update item set name = name where id = $1', [other]);
        },
        {
          retries: 20,
          retryOn: (error) => {
            if (error instanceof DeadlockError) deadlocks += 1;
            return error instanceof DeadlockError || error instanceof SerializationFailureError;
          },
        },
      );
    await Promise.all([swap(1, 2), swap(2, 1)]);
    // The victim's second run may take the row again before the other, which waited for it, has woken up.
    assert.ok(deadlocks >= 1);
  });

  it('isolation and read only are as asked, for engine, connection and transaction', async () => {
    const strict = await place.engine({ transaction: { isolation: 'repeatable read' } });
    const level = async (connection: { raw(sql: string): { scalars(): PromiseLike<unknown[]> } }): Promise<unknown> =>
      (await connection.raw(`select current_setting('transaction_isolation')`).scalars())[0];
    assert.equal(await strict.begin(level), 'repeatable read');
    assert.equal(await strict.begin(level, { isolation: 'serializable' }), 'serializable');
    await assert.rejects(
      strict.begin((connection) => connection.raw(`insert into item values (1, 'a')`).all(), { readOnly: true }),
      { sqlState: '25006' },
    );
    const loose = await strict.connect({ isolation: 'autocommit' });
    await loose.raw(`insert into item values (2, 'b')`);
    assert.equal(loose.inTransaction, false);
    assert.deepEqual(await names(strict), ['b']);
    await loose.close();
  });
});
