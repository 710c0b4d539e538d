// An engine behind PgBouncer in transaction mode: what works, and what is refused by its name.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  createEngine,
  declarativeBase,
  type Engine,
  integer,
  select,
  sessionmaker,
  StaleDataError,
  text,
  UnsupportedError,
} from '../../src/index.ts';
import { noPgBouncer, type PgBouncer, startPgBouncer } from '../pgbouncer.ts';
import { startPostgres, type TestServer } from '../servers.ts';

class Base extends declarativeBase() {}
class Item extends Base.table('item', { id: integer().primaryKey(), name: text() }) {}

describe('an engine behind a pooler in transaction mode', { skip: noPgBouncer ?? false }, () => {
  let server: TestServer;
  let pooler: PgBouncer;
  let engine: Engine;
  before(async () => {
    server = await startPostgres({ maxConnections: 20 });
    pooler = await startPgBouncer(server, { poolSize: 2 });
    engine = createEngine(pooler.url, {
      pooler: 'transaction',
      budget: { scope: 'process', size: 12 },
      pool: { max: 10 },
    });
    await Base.metadata.createAll(engine);
  });
  after(async () => {
    await engine?.close({ timeout: 0 });
    await pooler?.stop();
    await server?.stop();
  });

  it('[X20] transactions, sessions, streams, COPY and savepoints of ten connections work on two of the server', async () => {
    const Session = sessionmaker({ bind: engine });
    await Promise.all(
      Array.from({ length: 10 }, (_, at) =>
        Session.begin(async (session) => {
          const item = new Item({ name: `n${at}` });
          session.add(item);
          await session.flush();
          const nested = await session.beginNested();
          item.name += '!';
          await session.flush();
          await nested.commit();
        }),
      ),
    );
    const names = select(Item.c.name).orderBy(Item.c.name);
    for (let round = 0; round < 5; round += 1) {
      const lists = await Promise.all(
        Array.from({ length: 10 }, () => engine.begin((connection) => connection.scalars(names).all())),
      );
      for (const list of lists)
        assert.deepEqual(
          list,
          Array.from({ length: 10 }, (_, at) => `n${at}!`),
        );
    }
    await engine.begin(async (connection) => {
      let seen = 0;
      for await (const name of connection.scalars(names).stream({ yieldPer: 3 })) seen += name.length > 0 ? 1 : 0;
      assert.equal(seen, 10);
      assert.equal(await connection.copyFrom(Item, [{ id: 100, name: 'copied' }]), 1);
      assert.equal(await connection.raw(`select current_setting('transaction_read_only')`).scalar(), 'off');
    });
    assert.equal(
      await engine.begin((connection) => connection.raw(`select current_setting('transaction_isolation')`).scalar(), {
        isolation: 'serializable',
      }),
      'serializable',
    );
    const stale = Session();
    const item = await stale.getOne(Item, 100);
    await stale.commit();
    await engine.begin((connection) => connection.raw(`update item set name = 'other' where id = 100`).all());
    item.name = 'mine';
    await assert.rejects(stale.commit(), StaleDataError);
    await stale.close();
    assert.ok((await server.connectionCount()) <= 4);
  });

  it('[X20] what needs a session is refused by name, before the pooler sees it', async () => {
    assert.throws(
      () => engine.listen('news'),
      (error: UnsupportedError) => /LISTEN/.test(error.message),
    );
    await engine.begin(async (connection) => {
      for (const [sql, name] of [
        ['select pg_advisory_lock(1)', 'advisory lock'],
        [`set statement_timeout = '1s'`, 'SET'],
        ['listen news', 'LISTEN'],
        ['prepare p as select 1', 'PREPARE'],
        ['create temporary table t (a int)', 'temporary table'],
      ] as const) {
        await assert.rejects(connection.raw(sql).all(), (error: UnsupportedError) => {
          assert.ok(error instanceof UnsupportedError);
          assert.ok(error.message.includes(name), error.message);
          return true;
        });
      }
      await connection.raw(`set local statement_timeout = '1s'`);
      assert.equal(await connection.raw(`select current_setting('statement_timeout')`).scalar(), '1s');
      await connection.notify('news', 'can be said');
    });
    const named = createEngine(`${pooler.url}${pooler.url.includes('?') ? '&' : '?'}pooler=transaction`, {
      budget: { scope: 'process', size: 4, name: 'by URL' },
    });
    assert.throws(() => named.listen('news'), UnsupportedError);
    assert.equal(await named.begin((connection) => connection.raw('select 1').scalar()), 1);
    await named.close();
  });

  it('[X20] a statement’s deadline cancels through the pooler, and a tracked transaction commits', async () => {
    const tracked = engine.executionOptions({ trackOutcome: true });
    const connection = await tracked.connect();
    await assert.rejects(connection.raw('select pg_sleep(20)', [], { timeout: 100 }).all(), {
      code: 'ATH_STATEMENT_TIMEOUT',
    });
    await connection.rollback();
    await connection.raw(`insert into item values (500, 'x')`);
    await connection.commit();
    assert.equal(await connection.raw('select name from item where id = 500').scalar(), 'x');
    await connection.close();
  });
});
