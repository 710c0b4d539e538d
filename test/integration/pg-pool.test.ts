// `athanor/pg-pool` beside `pg` itself, on the same server: whatever one answers, the other must.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import { type DatabaseError, Pool, type PoolConfig, types } from '../../src/pg-pool.ts';
import { startPostgres, type TestServer } from '../servers.ts';

/** One expression for each way a type can be printed. */
const VALUES = [
  `null::int4`,
  `1::int2, -2::int4, 9007199254740993::int8, 7::oid`,
  `1.5::float4, 1e300::float8, 'NaN'::float8, '-Infinity'::float4, 12345678901234567890.123::numeric`,
  `true, false, 'x'::char(3), 'y'::varchar, 'z'::text, 'n'::name, ''::text`,
  `'\\x00ff5c'::bytea, ''::bytea`,
  `'2024-02-29'::date, '0044-03-15 BC'::date, 'infinity'::date, '0099-01-01'::date, '12024-01-01'::date`,
  `'2024-02-29 12:34:56.789123'::timestamp, '0001-01-01 BC'::timestamp, '-infinity'::timestamp`,
  `'2024-07-01 12:34:56.7+05:30'::timestamptz, '0044-03-15 01:02:03 BC'::timestamptz, '1800-01-01 UTC'::timestamptz`,
  `'12:34'::time, '12:34+02'::timetz`,
  `'{"a":[1,null,"x"]}'::json, '"s"'::jsonb, 'null'::json`,
  `'(1.5,-2)'::point, '<(1,2),3.5>'::circle, '(1,2),(3,4)'::box`,
  `gen_random_uuid() is null, '10.0.0.0/8'::cidr, '1.2.3.4'::inet, '12:ab:cd:00:11:22'::macaddr, '$5.25'::money`,
  `'{1,null,3}'::int4[], '{{1,2},{3,4}}'::int2[], '[2:3]={7,8}'::int4[], '{}'::int4[], '{9007199254740993}'::int8[]`,
  `'{t,f,null}'::bool[], '{1.5,NaN}'::float8[], '{1.50}'::numeric[]`,
  `array['a,b','"q"','\\','',null,'NULL','{}']::text[], array['x']::varchar[], array['y ']::bpchar[]`,
  `array['\\x00ff'::bytea], array['{"a":1}'::json], array['[1]'::jsonb], array['(1,2)'::point, null]`,
  `array['2024-01-01'::date,null], array['2024-01-01 01:02:03'::timestamp], array['2024-01-01 01:02:03Z'::timestamptz]`,
  `array['1b671a64-40d5-491e-99b0-da01ff1f3341'::uuid], array['10.0.0.0/8'::cidr]`,
  `int4range(1,5), '{a,b}'::name[], row(1,'x'), array[row(1,2)]::text`,
];
const INTERVALS = ['1 year 2 mons -3 days', '-04:05:06.789', '1.000001 s', '0', '25:00:00', '-1 years 10 s', '1 mon'];

describe('athanor/pg-pool beside pg', () => {
  let server: TestServer;
  let theirs: pg.Pool;
  let ours: Pool;
  const pools: Pool[] = [];

  const pool = (config: PoolConfig = {}): Pool => {
    const one = new Pool({ connectionString: server.url, max: 4, ...config });
    pools.push(one);
    return one;
  };

  before(async () => {
    server = await startPostgres({ maxConnections: 30 });
    theirs = new pg.Pool({ connectionString: server.url, max: 4 });
    ours = pool();
    await ours.query('create table person (id serial primary key, name text unique not null, age int check (age > 0))');
  });
  after(async () => {
    await theirs.end();
    for (const one of pools) await one.end();
    await server.stop();
  });

  it('[X31] every value is what pg makes of it, as objects and as arrays', async () => {
    for (const expressions of VALUES) {
      for (const rowMode of [undefined, 'array'] as const) {
        const config = { text: `select ${expressions}`, ...(rowMode === undefined ? {} : { rowMode }) };
        const [mine, others] = [await ours.query(config), await theirs.query(config as pg.QueryConfig)];
        assert.deepEqual(mine.rows, others.rows, expressions);
        assert.deepEqual(
          mine.fields,
          others.fields.map((field) => ({ ...field })),
          expressions,
        );
        const { command, rowCount, oid } = others;
        assert.deepEqual([mine.command, mine.rowCount, mine.oid], [command, rowCount, oid]);
      }
    }
    for (const interval of INTERVALS) {
      const text = `select '${interval}'::interval as i`;
      const [mine, others] = [(await ours.query(text)).rows[0].i, (await theirs.query(text)).rows[0].i];
      assert.deepEqual({ ...mine }, { ...others }, interval);
      assert.equal(mine.toPostgres(), others.toPostgres());
      const again = await ours.query('select $1::interval = $2::interval as same', [mine, interval]);
      assert.deepEqual(again.rows, [{ same: true }]);
    }
  });

  it('[X31] parameters go as pg sends them', async () => {
    const date = new Date(2024, 1, 29, 12, 34, 56, 789);
    const cases: readonly (readonly [string, unknown])[] = [
      ['int4', 5],
      ['int8', 9007199254740993n],
      ['text', 'ü"\\'],
      ['bool', true],
      ['timestamptz', date],
      ['timestamp', date],
      ['date', new Date(-62_000_000_000_000)],
      ['bytea', Buffer.from([0, 255, 92])],
      ['bytea', new Uint8Array([1, 2])],
      ['jsonb', { a: [1, { b: null }] }],
      ['int4[]', [1, null, [2]].slice(0, 2)],
      ['text[]', ['a"b', '\\', null, 'NULL', 'x,y']],
      ['int4[]', [[1], [2]]],
      ['bytea[]', [Buffer.from([9])]],
      ['timestamptz[]', [date]],
      ['json', { toPostgres: () => '{"own":true}' }],
      ['float8', Number.NaN],
      ['text', undefined],
    ];
    for (const [type, value] of cases) {
      const text = `select $1::${type} as value, $1::${type}::text as text`;
      for (const name of [undefined, `named ${type}`]) {
        for (let round = 0; round < 2; round += 1) {
          const config = { text, values: [value], ...(name === undefined ? {} : { name }) };
          assert.deepEqual((await ours.query(config)).rows, (await theirs.query(config)).rows, `${type} ${name}`);
        }
      }
    }
  });

  it('[X31] all call shapes: text, values, object, callbacks, several statements in one text', async () => {
    assert.deepEqual((await ours.query('select $1::int as n', [1])).rows, [{ n: 1 }]);
    assert.deepEqual((await ours.query({ text: 'select $1::int as n' }, [2])).rows, [{ n: 2 }]);
    assert.deepEqual((await ours.query({ text: 'select $1::int as n', values: [3], name: 'three' })).rows, [{ n: 3 }]);
    for (const args of [['select 4 as n'], ['select $1::int as n', [4]], [{ text: 'select 4 as n' }]] as const) {
      const rows = await new Promise((resolve, reject) => {
        const callback = (error: Error | null | undefined, result: { rows: unknown }): void =>
          error ? reject(error) : resolve(result.rows);
        assert.equal(
          args.length === 1 ? ours.query(args[0], callback) : ours.query(args[0], [...args[1]], callback),
          undefined,
        );
      });
      assert.deepEqual(rows, [{ n: 4 }]);
    }
    const failure = await new Promise<Error | null | undefined>((resolve) =>
      ours.query('selec', (error) => resolve(error)),
    );
    assert.equal((failure as DatabaseError).code, '42601');
    const script = `
      -- a comment; with a semicolon
      create temp table t (a text); insert into t values ('x;y'), (E'\\'z;'), ($q$a;'b$q$) /* ; /* ; */ ; */;
      create function pg_temp.f() returns int language sql begin atomic select 1; select case when true then 2; end end;
      select a as "semi;colon" from t;
      `.replace('then 2; end end', 'then 2 end; end');
    const [mine, others] = [
      (await ours.query(script)) as unknown as pg.QueryResult[],
      (await theirs.query(script)) as unknown as pg.QueryResult[],
    ];
    const outline = (list: pg.QueryResult[]): unknown =>
      list.map(({ command, rowCount, rows }) => [command, rowCount, rows]);
    assert.deepEqual(outline(mine), outline(others));
    const empty = [await ours.query(''), await theirs.query('')] as const;
    assert.deepEqual(
      [empty[0].command, empty[0].rowCount, empty[0].rows],
      [empty[1].command, empty[1].rowCount, empty[1].rows],
    );
    await assert.rejects(ours.query({ submit() {}, text: '' } as never), { code: 'ATH_USAGE' });
  });

  it('[X31] errors carry the fields of pg', async () => {
    await ours.query(`insert into person (name, age) values ('Ada', 36)`);
    for (const [text, values] of [
      [`insert into person (name) values ('Ada')`, []],
      [`insert into person (id, age) values (77, 1)`, []],
      [`insert into person (id, name, age) values (78, 'B', $1)`, [-1]],
      [`select * from nobody`, []],
      [`select $1::int4`, ['abc']],
      [`select 1/$1::int`, [0]],
    ] as const) {
      const [mine, others] = await Promise.all(
        [ours, theirs].map((one) =>
          (one as pg.Pool).query(text, [...values]).then(
            () => assert.fail(text),
            (error: DatabaseError) => error,
          ),
        ),
      );
      for (const field of [
        'message',
        'name',
        'severity',
        'code',
        'detail',
        'hint',
        'position',
        'where',
        'schema',
        'table',
        'column',
        'dataType',
        'constraint',
        'routine',
      ] as const) {
        assert.equal(mine?.[field], others?.[field], `${field} of ${text}`);
      }
    }
  });

  it('[X31] types: for the pool, for a query, for the process', async () => {
    const asNumbers = {
      getTypeParser: (oid: number, format?: 'text') => (oid === 20 ? Number : pg.types.getTypeParser(oid, format)),
    };
    const own = pool({ types: asNumbers });
    assert.deepEqual((await own.query('select 5::int8 as n, 6 as m')).rows, [{ n: 5, m: 6 }]);
    assert.deepEqual((await ours.query({ text: 'select 5::int8 as n', types: asNumbers })).rows, [{ n: 5 }]);
    assert.deepEqual((await ours.query('select 5::int8 as n')).rows, [{ n: '5' }]);
    const before = types.getTypeParser(1082);
    types.setTypeParser(1082, (text) => text);
    try {
      assert.deepEqual((await ours.query(`select '2024-01-01'::date as d`)).rows, [{ d: '2024-01-01' }]);
    } finally {
      types.setTypeParser(1082, before);
    }
    const broken = { getTypeParser: () => () => assert.fail('parser') };
    await assert.rejects(ours.query({ text: 'select 1', types: broken }), /parser/);
    assert.deepEqual((await ours.query('select 1 as n')).rows, [{ n: 1 }]);
  });

  it('[X31] clients: transactions, release, figures and events', async () => {
    const own = pool({ max: 2, maxUses: 3 });
    const heard: string[] = [];
    for (const event of ['connect', 'acquire', 'release', 'remove', 'error'] as const)
      own.on(event, () => heard.push(event));
    const client = await own.connect();
    assert.deepEqual([own.totalCount, own.idleCount, own.waitingCount], [1, 0, 0]);
    assert.deepEqual(heard, ['connect', 'acquire']);
    await client.query('begin');
    await client.query(`insert into person (name) values ('gone')`);
    // Released before the answer, as programs do: the connection goes back when it has come.
    const end = client.query('rollback');
    client.release();
    await end;
    assert.throws(() => client.release(), /given back/);
    await assert.rejects(client.query('select 1'), /given back/);
    assert.deepEqual((await own.query(`select * from person where name = 'gone'`)).rows, []);
    assert.deepEqual([own.totalCount, own.idleCount], [1, 1]);

    const same = await own.connect();
    assert.equal(same, client);
    assert.equal(same.escapeIdentifier('a"b'), pg.escapeIdentifier('a"b'));
    assert.equal(same.escapeLiteral(`a'\\b`), pg.escapeLiteral(`a'\\b`));
    const removed = once(own, 'remove');
    same.release();
    await removed;
    const next = await new Promise<typeof client>((resolve, reject) =>
      own.connect((error, one, release) => {
        if (one === undefined) return reject(error);
        void one.query('select 1').then(() => {
          release(new TypeError('broken'));
          resolve(one);
        });
      }),
    );
    assert.notEqual(next, client);
    const last = await own.connect();
    assert.notEqual(last, next);
    const lost = once(last, 'error');
    await server.query('select pg_terminate_backend($1::int)', [last.processID]);
    assert.equal((await lost)[0].code, 'ATH_CONNECTION_LOST');
    last.release();
    assert.deepEqual((await own.query('select 1 as n')).rows, [{ n: 1 }]);
    assert.ok(heard.includes('error'));

    const clients = [await own.connect(), await own.connect()];
    const waiting = own.connect();
    await new Promise(setImmediate);
    assert.equal(own.waitingCount, 1);
    for (const one of clients) one.release();
    (await waiting).release();
    await own.end();
    await assert.rejects(own.query('select 1'), { code: 'ATH_POOL_CLOSED' });
  });

  it('[X31] a query ends in time, and a checkout too', async () => {
    const own = pool({ max: 1, query_timeout: 200, connectionTimeoutMillis: 300 });
    await assert.rejects(own.query('select pg_sleep(5)'), { code: 'ATH_TIMEOUT', message: /longer than 200 ms/ });
    assert.deepEqual((await own.query('select 1 as n')).rows, [{ n: 1 }]);
    const client = await own.connect();
    await assert.rejects(own.connect(), { code: 'ATH_POOL_TIMEOUT' });
    client.release();
  });

  it('a listener that throws costs no connection', async () => {
    const own = pool({ max: 1, connectionTimeoutMillis: 500 });
    own.once('connect', () => assert.fail('listener'));
    await assert.rejects(own.query('select 1'), /listener/);
    assert.deepEqual((await own.query('select 1 as n')).rows, [{ n: 1 }]);
  });

  it('cannot be sent to another process', () => {
    assert.throws(() => structuredClone(ours), { code: 'ATH_NOT_TRANSFERABLE' });
  });
});
