import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import {
  array,
  bigint,
  boolean,
  bytea,
  createEngine,
  double,
  type Engine,
  enumOf,
  integer,
  json,
  MetaData,
  numeric,
  select,
  table,
  text,
  timestamptz,
  UsageError,
  uuid,
} from '../../src/index.ts';
import { startPostgres, type TestServer } from '../servers.ts';

const metadata = new MetaData();
const Thing = table('thing', metadata, {
  id: integer().primaryKey(),
  big: bigint(),
  flag: boolean(),
  ratio: double(),
  exact: numeric(),
  note: text().nullable(),
  at: timestamptz(),
  doc: json<{ readonly a: readonly (number | string)[] }>(),
  raw: bytea(),
  code: uuid(),
  names: array(text()),
  mood: enumOf('mood', ['glad', 'sad; "so"']),
  version: integer().default(7),
});

function thing(id: number) {
  return {
    id,
    big: 2n ** 62n,
    flag: id % 2 === 0,
    ratio: 0.1 * id,
    exact: '123456789012345678901234567890.5',
    note: id % 3 === 0 ? null : `tab\t new\n line \\ back\\N ü ${id}`,
    at: new Date(1_600_000_000_000 + id),
    doc: { a: [id, 'tab\t"quote"\\'] },
    raw: new Uint8Array([0, 255, 10, 9, 92, id % 256]),
    code: '6f9619ff-8b86-d011-b42d-00c04fc964ff',
    names: ['a,b', 'c"d\\', '', 'NULL', '\t\n'],
    mood: id % 2 === 0 ? ('glad' as const) : ('sad; "so"' as const),
  };
}

describe('COPY', () => {
  let server: TestServer;
  let engine: Engine;
  before(async () => {
    server = await startPostgres({ maxConnections: 20 });
    engine = createEngine(server.url, { budget: { scope: 'process' }, pool: { max: 3 } });
    await metadata.createAll(engine);
  });
  beforeEach(() => engine.begin((connection) => connection.raw('truncate thing').all()));
  after(async () => {
    await engine.close({ timeout: 0 });
    await server.stop();
  });

  it('[X27] typed rows in and out: every type comes back as it went, from lists and streams', async () => {
    await engine.begin(async (connection) => {
      assert.equal(await connection.copyFrom(Thing, [thing(1), thing(2), thing(3)]), 3);
      async function* rows(): AsyncGenerator<ReturnType<typeof thing>> {
        for (let id = 4; id <= 3000; id += 1) yield thing(id);
      }
      assert.equal(await connection.copyFrom(Thing, rows()), 2997);
      assert.equal(await connection.copyFrom(Thing, []), 0);
      const selected = await connection.execute(select(Thing).orderBy(Thing.c.id));
      const expected = Array.from({ length: 3000 }, (_, at) => ({ ...thing(at + 1), version: 7 }));
      assert.deepEqual(
        selected.map(({ thing: row }) => row),
        expected,
      );
      const back: object[] = [];
      for await (const row of connection.copyTo(Thing)) {
        const { id, note }: { id: number; note: string | null } = row;
        assert.ok(id > 0 && note !== undefined);
        back.push(row);
      }
      assert.deepEqual(back, expected);
      const some: unknown[] = [];
      for await (const row of connection.copyTo(Thing, { columns: ['id', 'flag'] })) some.push(row);
      assert.deepEqual(some[1], { id: 2, flag: true });
      assert.equal(some.length, 3000);
    });
  });

  it('[X27] the bytes of a COPY of your own, both ways', async () => {
    await engine.begin(async (connection) => {
      await connection.raw('create temporary table pair (a int, b text) on commit drop');
      const chunks = [Buffer.from('1,o'), Buffer.from('ne\n2,two\n')];
      assert.equal(await connection.copyFrom('copy pair from stdin (format csv)', chunks), 2);
      let out = '';
      const count = await connection.copyTo('copy pair to stdout (format csv, header)', (chunk) => {
        out += Buffer.from(chunk).toString();
      });
      assert.equal(count, 2);
      assert.equal(out, 'a,b\n1,one\n2,two\n');
    });
  });

  it('[X27] a wrong row ends the COPY, is named, and leaves nothing; the connection goes on after rollback', async () => {
    const connection = await engine.connect();
    const wrong = [
      [thing(1), { ...thing(2), big: 'no' }],
      [thing(1), { ...thing(2), bonus: 1 }],
      [thing(1), { ...thing(2), flag: undefined }],
    ] as never[][];
    for (const rows of wrong) {
      await assert.rejects(connection.copyFrom(Thing, rows), /thing\.big|bonus|thing\.flag/);
      await connection.rollback();
    }
    await assert.rejects(connection.copyFrom(Thing, [thing(1), thing(1)]), { code: 'ATH_UNIQUE_VIOLATION' });
    await connection.rollback();
    async function* mine(): AsyncGenerator<ReturnType<typeof thing>> {
      yield thing(1);
      throw new RangeError('mine');
    }
    await assert.rejects(connection.copyFrom(Thing, mine()), RangeError);
    await connection.rollback();
    await assert.rejects(connection.copyFrom(Thing, [{ nope: 1 } as never]), UsageError);
    await connection.rollback();
    assert.equal(await connection.raw('select count(*)::int from thing').scalar(), 0);
    await connection.close();
  });

  it('[X27] a reader who stops stops the server, and a slow one makes it wait', async () => {
    const connection = await engine.connect();
    await connection.copyFrom(
      Thing,
      Array.from({ length: 5000 }, (_, at) => thing(at + 1)),
    );
    await connection.commit();
    let seen = 0;
    for await (const { id } of connection.copyTo(Thing)) {
      assert.ok(id > 0);
      seen += 1;
      if (seen === 3) break;
    }
    await connection.rollback();
    assert.equal(await connection.raw('select count(*)::int from thing').scalar(), 5000);
    await assert.rejects(
      connection.copyTo('copy (select repeat($$x$$, 1000) from generate_series(1, 1000000)) to stdout', () => {
        throw new RangeError('enough');
      }),
      RangeError,
    );
    await connection.rollback();
    const stop = AbortSignal.timeout(100);
    let held = 0;
    await assert.rejects(
      connection.copyTo(
        'copy (select repeat($$x$$, 1000) from generate_series(1, 1000000)) to stdout',
        async (chunk) => {
          held += chunk.length;
          await new Promise((resolve) => setTimeout(resolve, 10));
        },
        { signal: stop },
      ),
      { code: 'ATH_CANCELLED' },
    );
    assert.ok(held < 100_000_000);
    await connection.rollback();
    assert.equal(await connection.raw('select 1').scalar(), 1);
    await connection.close();
  });
});
