// Results beyond "all rows": streams that hold a page at a time, views, and what an INSERT made.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  bigint,
  createEngine,
  type Engine,
  func,
  insert,
  integer,
  MetaData,
  NoResultError,
  select,
  sql,
  StateError,
  table,
  text,
  timestamptz,
  UsageError,
} from '../../src/index.ts';
import { startPostgres, type TestServer } from '../servers.ts';
import { engineUrl } from '../ways.ts';

const metadata = new MetaData();
const Item = table('item', metadata, {
  id: integer().primaryKey(),
  name: text(),
  kind: text().default(sql<string>`'plain'`),
});
const Part = table('part', metadata, { itemId: integer().primaryKey(), id: bigint().primaryKey(), at: timestamptz() });

describe('results on PostgreSQL', () => {
  let server: TestServer;
  let engine: Engine;
  before(async () => {
    server = await startPostgres({ maxConnections: 20 });
    engine = createEngine(engineUrl(server.url), { budget: { scope: 'process' }, pool: { max: 3 } });
    await metadata.createAll(engine);
    await engine.begin(async (connection) => {
      await connection.raw(`insert into item select n, 'n' || n from generate_series(1, 2500) n`);
    });
  });
  after(async () => {
    await engine.close({ timeout: 0 });
    await server.stop();
  });

  const byId = select(Item.c.id, Item.c.name).orderBy(Item.c.id);
  const portals = async (pid: number): Promise<unknown[]> =>
    server.query(`select 1 from pg_stat_activity where pid = $1 and state = 'active'`, [pid]);

  it('[F011] a stream gives every row once, in pages that grow, or of yieldPer, and closes itself when left early', async () => {
    await engine.begin(async (connection) => {
      const ids: number[] = [];
      for await (const { id } of connection.execute(byId).stream()) ids.push(id);
      assert.deepEqual(
        ids,
        Array.from({ length: 2500 }, (_, at) => at + 1),
      );
      const sizes: number[] = [];
      for await (const rows of connection.execute(byId).stream({ maxRowBuffer: 900 }).partitions())
        sizes.push(rows.length);
      assert.deepEqual(sizes, [20, 100, 500, 900, 900, 80]);
      const even: number[] = [];
      for await (const rows of connection.execute(byId).stream({ yieldPer: 1000 }).partitions()) even.push(rows.length);
      assert.deepEqual(even, [1000, 1000, 500]);
      const parts: number[] = [];
      for await (const rows of connection.execute(byId, { yieldPer: 600 }).tuples().partitions(600))
        parts.push(rows.length);
      assert.deepEqual(parts, [600, 600, 600, 600, 100]);

      let seen = 0;
      for await (const id of connection.scalars(byId).stream({ yieldPer: 10 })) {
        assert.equal(id, (seen += 1));
        // Other statements run between two pages.
        if (seen === 15) assert.equal(await connection.scalars(select(func.count(Item.c.id))).one(), 2500);
        if (seen === 25) break;
      }
      assert.deepEqual(await connection.raw("select name from pg_cursors where name <> ''"), [], 'the portal is gone');
      assert.equal(await connection.execute(byId.limit(0)).stream().first(), null);
      assert.deepEqual(await connection.execute(byId).stream().first(), { id: 1, name: 'n1' });
      assert.equal((await connection.raw('select * from item').stream({ yieldPer: 700 }).all()).length, 2500);
      assert.equal(connection.inTransaction, true);
    });
  });

  it('[F011] the server waits for a slow reader: a stream of a million rows holds a page, and so does the memory', async () => {
    await engine.begin(async (connection) => {
      const [{ pid } = { pid: 0 }] = await connection.raw<{ pid: number }>('select pg_backend_pid() as pid');
      const many = sql<{
        n: number;
        pad: string;
      }>`select n, repeat('x', 100) as pad from generate_series(1, 1000000) n`;
      globalThis.gc?.();
      const base = process.memoryUsage().rss;
      let most = 0;
      let count = 0;
      for await (const rows of connection.execute(many).stream({ yieldPer: 5000 }).partitions()) {
        count += rows.length;
        if (count === 10_000) assert.deepEqual(await portals(pid), [], 'nothing runs while nobody reads');
        if (count % 100_000 === 0) most = Math.max(most, process.memoryUsage().rss);
      }
      assert.equal(count, 1_000_000);
      assert.ok(most - base < 96 * 1024 * 1024, `grew by ${Math.round((most - base) / 1024 / 1024)} MiB`);
    });
  });

  it('a stream ends with its transaction, needs one, is read once, and is asked for in time', async () => {
    const connection = await engine.connect();
    const stream = connection.execute(byId).stream({ yieldPer: 10 });
    const rows = stream[Symbol.asyncIterator]();
    await rows.next();
    assert.throws(() => structuredClone(stream), { code: 'ATH_NOT_TRANSFERABLE' });
    await connection.commit();
    await assert.rejects(async () => {
      for (let at = 0; at < 20; at += 1) await rows.next();
    }, StateError);
    await assert.rejects(stream.all(), StateError);
    const started = connection.execute(byId);
    await started;
    assert.throws(() => started.stream(), StateError);
    const plain = await engine.executionOptions({ isolation: 'autocommit' }).connect();
    await assert.rejects(plain.execute(byId).stream().all(), StateError);
    await plain.close();
    const failing = connection.execute(sql<{ n: number }>`select 1 / (3 - n) as n from generate_series(1, 5) n`);
    await assert.rejects(failing.stream({ yieldPer: 1 }).all(), { sqlState: '22012' });
    await connection.close();
    assert.throws(() => connection.execute(byId).stream({ yieldPer: 0 }), UsageError);
  });

  it('[F012] all, first, one, one or none, scalar, scalars, mappings, tuples, columns, unique, partitions, freeze, merge', async () => {
    await engine.begin(async (connection) => {
      const three = byId.where(Item.c.id.le(3));
      assert.deepEqual((await connection.execute(three).all()).length, 3);
      assert.deepEqual(await connection.execute(three).first(), { id: 1, name: 'n1' });
      assert.deepEqual(await connection.execute(three.limit(1)).one(), { id: 1, name: 'n1' });
      assert.equal(await connection.execute(three.where(Item.c.id.gt(9))).oneOrNone(), null);
      assert.equal(await connection.execute(three).scalar(), 1);
      assert.deepEqual(await connection.execute(three).scalars(), [1, 2, 3]);
      assert.deepEqual(await connection.execute(three).mappings().first(), { id: 1, name: 'n1' });
      assert.deepEqual(await connection.execute(three).tuples().first(), [1, 'n1']);
      assert.deepEqual(await connection.execute(three).columns('name').first(), ['n1']);
      assert.deepEqual(await connection.execute(three).columns(1, Item.c.id).all(), [
        ['n1', 1],
        ['n2', 2],
        ['n3', 3],
      ]);
      const parts: number[] = [];
      for await (const rows of connection.execute(three).partitions(2)) parts.push(rows.length);
      assert.deepEqual(parts, [2, 1]);
      const twice = sql<{
        a: number;
        b: Date;
      }>`select n % 2 as a, '2020-01-01'::timestamptz as b from generate_series(1, 4) n`;
      assert.equal((await connection.execute(twice).unique().all()).length, 2);
      assert.deepEqual(
        await connection
          .execute(three)
          .unique(({ id }) => id > 1)
          .all(),
        [
          { id: 1, name: 'n1' },
          { id: 2, name: 'n2' },
        ],
      );
      assert.throws(() => connection.execute(three).unique().scalars(), UsageError);
      const seen: number[] = [];
      for await (const value of connection.execute(twice).scalars().unique().stream({ yieldPer: 1 }))
        seen.push(value as number);
      assert.deepEqual(seen, [1, 0]);
      const frozen = await connection.execute(three).freeze();
      assert.deepEqual(await frozen().scalars(), [1, 2, 3]);
      assert.deepEqual(await frozen().tuples().first(), [1, 'n1']);
      assert.deepEqual(await frozen().all(), await connection.execute(three));
      const merged = connection.execute(three).merge(connection.execute(three), frozen());
      assert.deepEqual(await merged.scalars(), [1, 2, 3, 1, 2, 3, 1, 2, 3]);
    });
  });

  it('[F013] a row by name and by position; a name that stands twice is found by its column', async () => {
    await engine.begin(async (connection) => {
      await connection.execute(insert(Part).values({ itemId: 1, id: 7n, at: new Date(0) }));
      const both = select(Item.c.id, Part.c.id, Item.c.name)
        .outerJoin(Part, Part.c.itemId.eq(Item.c.id))
        .where(Item.c.id.eq(1));
      await assert.rejects(connection.execute(both).all(), UsageError);
      assert.deepEqual(await connection.execute(both).tuples().one(), [1, 7n, 'n1']);
      assert.deepEqual(await connection.execute(both).columns(Part.c.id).one(), [7n]);
      assert.deepEqual(await connection.execute(both).columns(Item.c.name, Item.c.id).one(), ['n1', 1]);
      await assert.rejects(connection.execute(both).columns('id').all(), UsageError);
      await assert.rejects(connection.execute(both).columns(Part.c.at).all(), UsageError);
      const { name } = await connection.execute(byId.limit(1)).one();
      assert.equal(name, 'n1');
      await connection.rollback();
    });
  });

  it('[F014] rows affected, the inserted keys, and what the server filled in', async () => {
    await engine.begin(async (connection) => {
      assert.equal(await connection.raw('update item set name = name where id <= 10').rowCount(), 10);
      assert.equal(await connection.raw('delete from item where id < 0').rowCount(), 0);
      const one = insert(Item).values({ id: 9001, name: 'a' });
      assert.deepEqual(await connection.execute(one).insertedPrimaryKey(), { id: 9001 });
      await connection.raw(`select setval(pg_get_serial_sequence('item', 'id'), 10000)`);
      const two = insert(Item).values([{ name: 'b' }, { name: 'c' }]);
      assert.deepEqual(await connection.execute(two).insertedPrimaryKeys(), [{ id: 10001 }, { id: 10002 }]);
      assert.deepEqual(await connection.execute(two).returnedDefaults(), [
        { id: 10003, kind: 'plain' },
        { id: 10004, kind: 'plain' },
      ]);
      const parts = insert(Part).values({ itemId: 1, id: 2n, at: new Date(0) });
      assert.deepEqual(await connection.execute(parts).insertedPrimaryKey(), { itemId: 1, id: 2n });
      const none = insert(Item).values({ id: 1, name: 'twice' }).onConflictDoNothing();
      await assert.rejects(connection.execute(none).insertedPrimaryKey(), NoResultError);
      assert.equal(await connection.execute(none).rowCount(), 0);
      await assert.rejects(connection.execute(byId).insertedPrimaryKeys(), UsageError);
      await assert.rejects(connection.execute(two.returning(Item.c.id)).insertedPrimaryKeys(), UsageError);
      await assert.rejects(connection.raw('insert into item values (1)').insertedPrimaryKeys(), UsageError);
      await connection.rollback();
    });
  });

  it('[F015] a script of many statements is one call; a function body, a string and a comment do not end one', async () => {
    await engine.begin(async (connection) => {
      const answers = await connection.script(`
        create table scripted (n int); -- one; two
        insert into scripted values (1), (2);
        create function twice(n int) returns int language plpgsql as $body$ begin return n * 2; end; $body$;
        create function thrice(n int) returns int begin atomic select n * 3; end;
        select twice(n) as a, ';' as b, thrice(n) as c from scripted order by n /* ; /* ; */ */;
      `);
      assert.deepEqual(
        answers.map(({ command }) => command.split(' ')[0]),
        ['CREATE', 'INSERT', 'CREATE', 'CREATE', 'SELECT'],
      );
      assert.equal(answers[1]?.rowCount, 2);
      assert.deepEqual(answers[4]?.rows, [
        { a: 2, b: ';', c: 3 },
        { a: 4, b: ';', c: 6 },
      ]);
      await assert.rejects(connection.script("select 'open; select 1"), UsageError);
      await connection.rollback();
      assert.deepEqual(await connection.raw(`select to_regclass('scripted') as found`).scalar(), null);
    });
  });
});

describe('results on SQLite', () => {
  let folder: string;
  let engine: Engine;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'athanor-results-'));
    engine = createEngine(`sqlite:${join(folder, 'results.db')}`);
    await metadata.createAll(engine);
    await engine.begin(async (connection) => {
      await connection.execute(
        insert(Item).values(Array.from({ length: 2500 }, (_, at) => ({ id: at + 1, name: `n${at + 1}` }))),
      );
    });
  });
  after(async () => {
    await engine.close({ timeout: 0 });
    rmSync(folder, { recursive: true, force: true });
  });
  const byId = select(Item.c.id, Item.c.name).orderBy(Item.c.id);

  it('[F011] a stream is read page by page, beside other statements, and ends with its transaction', async () => {
    const connection = await engine.connect();
    let seen = 0;
    for await (const { id } of connection.execute(byId).stream({ yieldPer: 10 })) {
      assert.equal(id, (seen += 1));
      if (id % 500 === 0) {
        await connection.raw('update item set name = ? where id = ?', ['changed', id]);
        assert.equal(await connection.execute(select(func.count(Item.c.id))).scalar(), 2500);
        assert.equal((await connection.execute(byId).stream({ yieldPer: 3 }).first())?.id, 1);
      }
    }
    assert.equal(seen, 2500);
    const rows = connection.execute(byId).stream({ yieldPer: 2 })[Symbol.asyncIterator]();
    await rows.next();
    await connection.commit();
    await assert.rejects(async () => {
      for (let at = 0; at < 5; at += 1) await rows.next();
    }, StateError);
    // Nothing reads any more: another connection may write.
    await engine.begin((other) => other.raw('delete from item where id > 2400').all());
    assert.equal(await connection.raw('select count(*) from item').scalar(), 2400);
    await assert.rejects(connection.raw('selekt').stream().all());
    await connection.rollback();
    await assert.rejects(connection.raw('update item set name = name').stream().all(), UsageError);
    await connection.close();
  });

  it('[F012][F013][F014] views, columns by attribute, inserted keys and defaults', async () => {
    await engine.begin(async (connection) => {
      const three = byId.where(Item.c.id.le(3));
      assert.deepEqual(await connection.execute(three).columns(Item.c.name).first(), ['n1']);
      assert.equal(await connection.execute(three.limit(1)).scalar(), 1);
      assert.equal(await connection.execute(three.where(Item.c.id.gt(9))).oneOrNone(), null);
      const added = insert(Item).values([
        { id: 9001, name: 'b' },
        { id: 9002, name: 'c' },
      ]);
      assert.deepEqual(await connection.execute(added).insertedPrimaryKeys(), [{ id: 9001 }, { id: 9002 }]);
      assert.deepEqual(await connection.execute(insert(Item).values({ name: 'd' })).returnedDefaults(), [
        { id: 9003, kind: 'plain' },
      ]);
      assert.equal(await connection.raw('delete from item where id > 9000').rowCount(), 3);
    });
  });

  it('[F015] a script of many statements, a trigger among them', async () => {
    await engine.begin(async (connection) => {
      const answers = await connection.script(`
        create table log (n integer); -- one; two
        create trigger noted after insert on part begin insert into log values (new.id); insert into log values (case when 1 then 0 end); end;
        insert into part values (1, 5, 0);
        select n, ';' as b from log order by n;
      `);
      assert.equal(answers.length, 4);
      assert.deepEqual(answers[3]?.rows, [
        { n: 0, b: ';' },
        { n: 5, b: ';' },
      ]);
      await connection.rollback();
    });
  });
});
