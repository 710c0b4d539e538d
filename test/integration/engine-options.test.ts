// What can be said about how statements and transactions run, at the engine, a connection, a transaction, a statement.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  createEngine,
  type CreateEngineOptions,
  DatabaseUrl,
  type Engine,
  engineFromConfig,
  insert,
  integer,
  makeUrl,
  MetaData,
  select,
  sessionmaker,
  declarativeBase,
  sql,
  StateError,
  table,
  text,
  UnsupportedError,
  UsageError,
} from '../../src/index.ts';
import { startPostgres, type TestServer } from '../servers.ts';

const metadata = new MetaData();
const Item = table('item', metadata, { id: integer().primaryKey(), name: text() });
class Base extends declarativeBase({ schema: 'tenant' }) {}
const tenants = Base.metadata;
class Note extends Base.table('note', { id: integer().primaryKey(), body: text() }) {}

describe('options of an engine on PostgreSQL', () => {
  let server: TestServer;
  const engines: Engine[] = [];
  const engine = (options: CreateEngineOptions = {}, url: string | DatabaseUrl = server.url): Engine => {
    const made = createEngine(url, { budget: { scope: 'process' }, ...options });
    engines.push(made);
    return made;
  };
  before(async () => {
    server = await startPostgres({ maxConnections: 40, settings: { log_statement: 'all' } });
    await metadata.createAll(engine());
  });
  after(async () => {
    for (const one of engines) await one.close({ timeout: 0 });
    await server.stop();
  });

  const MODES = sql<{ level: string; ro: string; de: string }>`select current_setting('transaction_isolation') as level,
    current_setting('transaction_read_only') as ro, current_setting('transaction_deferrable') as de`;
  interface Runner {
    execute(statement: typeof MODES): { one(): Promise<{ level: string; ro: string; de: string }> };
  }
  const modes = async (connection: Runner): Promise<string> => {
    const { level, ro, de } = await connection.execute(MODES).one();
    return `${level} ${ro} ${de}`;
  };

  it('[F008] isolation, read only and deferrable for engine, sub-engine, connection and transaction; nothing of it stays behind', async () => {
    const base = engine({ isolation: 'repeatable read', pool: { max: 1 } });
    const [pid] = await base.begin((connection) => connection.raw('select pg_backend_pid()').scalars().all());
    assert.equal(await base.begin(modes), 'repeatable read off off');
    const strict = base.executionOptions({ isolation: 'serializable', readOnly: true, deferrable: true });
    assert.equal(await strict.begin(modes), 'serializable on on');
    assert.equal(await strict.begin(modes, { readOnly: false, deferrable: false }), 'serializable off off');
    assert.equal(await base.begin(modes), 'repeatable read off off');
    const connection = await base.connect({ isolation: 'read committed' });
    assert.equal(await modes(connection), 'read committed off off');
    assert.throws(() => connection.executionOptions({ isolation: 'serializable' }), StateError);
    await connection.commit();
    assert.equal(await modes(connection.executionOptions({ isolation: 'serializable' })), 'serializable off off');
    await connection.close();

    const loose = await base.connect({ isolation: 'autocommit' });
    await loose.execute(insert(Item).values({ id: 1, name: 'kept' }));
    assert.equal(loose.inTransaction, false);
    await assert.rejects(loose.raw('select wrong').all());
    assert.equal(await loose.raw('select 1').scalar(), 1, 'nothing to roll back');
    await loose.close();
    assert.equal(await base.begin((given) => given.raw('select count(*)::int from item').scalar()), 1);
    // All of this was one server connection, which is as it was.
    assert.equal(await base.begin(modes), 'repeatable read off off');
    assert.deepEqual(await base.begin((given) => given.raw('select pg_backend_pid()').scalars().all()), [pid]);
    const outside = base.executionOptions({ isolation: 'autocommit' });
    assert.equal(await outside.begin(modes), 'read committed off off', 'the session itself was never changed');
  });

  it('read-only engines refuse what writes before it is sent, and the server refuses the rest', async () => {
    const reader = engine({ readOnly: true });
    const connection = await reader.connect();
    await assert.rejects(connection.execute(insert(Item).values({ id: 9, name: 'x' })).all(), StateError);
    assert.equal(connection.inTransaction, false, 'nothing was sent');
    await assert.rejects(connection.raw(`insert into item values (9, 'x')`).all(), { sqlState: '25006' });
    await connection.rollback();
    await connection.execute(select(Item.c.id));
    await connection.close();
    await assert.rejects(
      sessionmaker({ bind: reader }).begin(async (session) => session.add(new Note({ body: 'x' }))),
      StateError,
    );
  });

  it('[F009] options are layered, the closer one holds; they are frozen, and a name nobody knows is refused', async () => {
    const base = engine({ tags: { app: 'shop' }, yieldPer: 50 });
    const sub = base.executionOptions({ tags: { route: '/a' }, isolation: 'serializable' });
    assert.deepEqual(sub.getExecutionOptions(), {
      tags: { app: 'shop', route: '/a' },
      yieldPer: 50,
      isolation: 'serializable',
    });
    assert.ok(Object.isFrozen(sub.getExecutionOptions()));
    assert.deepEqual(base.getExecutionOptions(), { tags: { app: 'shop' }, yieldPer: 50 });
    assert.equal(sub.pool, base.pool);
    const connection = await sub.connect({ tags: { route: '/b' } });
    await connection.raw('select 101', [], { tags: { job: 'x' } });
    assert.match(server.log(), /select 101\n\s*\/\*app='shop',job='x',route='%2Fb'\*\//);
    connection.executionOptions({ tags: { route: '/c' } });
    await connection.raw('select 102');
    assert.match(server.log(), /select 102\n\s*\/\*app='shop',route='%2Fc'\*\//);
    await connection.close();
    assert.throws(() => base.executionOptions({ isolaton: 'serializable' } as never), UsageError);
    assert.throws(() => createEngine(server.url, { readonly: true } as never), UsageError);
  });

  it('tags end no comment, break no cache, and can be made for each statement', async () => {
    const base = engine({ pool: { max: 1 } });
    const connection = await base.connect({ tags: { "k'*/": `v'*/; drop table item; --` } });
    for (let time = 0; time < 3; time += 1) await connection.execute(select(Item.c.id).where(Item.c.id.eq(time)));
    const prepared = connection.raw(
      `select count(*)::int from pg_prepared_statements where statement like 'SELECT item.id FROM%'`,
    );
    assert.equal(await prepared.scalar(), 1);
    await connection.close();
    let request = 0;
    const traced = await base.connect({ tags: () => ({ request: (request += 1) }) });
    await traced.raw('select 201');
    await traced.raw('select 201');
    assert.match(server.log(), /select 201\n\s*\/\*request='1'\*\/[\s\S]*select 201\n\s*\/\*request='2'\*\//);
    await traced.close();
  });

  it('[F010] a schema map moves tables at execution: statements, sessions, DDL and COPY; the cache keeps each apart', async () => {
    const base = engine({ pool: { max: 2 } });
    const of = (tenant: string): Engine => base.executionOptions({ schemaTranslateMap: { tenant } });
    const [red, blue] = [of('red'), of('blue')];
    await tenants.createAll(red);
    await tenants.createAll(blue);
    for (const [place, body] of [
      [red, 'r'],
      [blue, 'b'],
    ] as const) {
      await sessionmaker({ bind: place }).begin(async (session) => {
        session.add(new Note({ body }));
        session.add(new Note({ body: `${body}2` }));
      });
    }
    const bodies = select(Note.c.body).orderBy(Note.c.id);
    for (let time = 0; time < 2; time += 1) {
      assert.deepEqual(await red.begin((connection) => connection.scalars(bodies).all()), ['r', 'r2']);
      assert.deepEqual(await blue.begin((connection) => connection.scalars(bodies).all()), ['b', 'b2']);
    }
    await base.begin(async (connection) => {
      const map = { schemaTranslateMap: { tenant: 'red' } };
      assert.deepEqual(await connection.scalars(bodies, map), ['r', 'r2']);
      assert.deepEqual(await connection.scalars(bodies, { schemaTranslateMap: { tenant: 'blue' } }), ['b', 'b2']);
    });
    await assert.rejects(
      base.begin((connection) => connection.scalars(bodies).all()),
      { sqlState: '42P01' },
    );
    await red.begin(async (connection) => {
      await connection.copyFrom(Note, [{ id: 99, body: 'copied' }]);
      assert.deepEqual(await connection.raw(`select body from red.note where id = 99`).scalars(), ['copied']);
      const own = sql<{ n: number }>`select count(*)::int as n from ${Note}`;
      assert.deepEqual(await connection.execute(own).one(), { n: 3 });
    });
    // A table without a schema is moved by the empty name, and back to none.
    await base.begin(async (connection) => {
      await connection.raw('create schema other');
      await connection.raw('create table other.item (id int, name text)');
      const count = sql<{ n: number }>`select count(*)::int as n from ${Item}`;
      assert.deepEqual(await connection.execute(count, { schemaTranslateMap: { '': 'other' } }).one(), { n: 0 });
    });
    await tenants.dropAll(red);
    const lite = createEngine('sqlite::memory:', { schemaTranslateMap: { tenant: 'red' } });
    assert.throws(() => lite.executor(), UnsupportedError);
    await lite.close();
  });

  it('[F002] a URL object is read, changed, escaped, hidden and taken by createEngine', async () => {
    const url = makeUrl(server.url);
    assert.equal(url.render({ hidePassword: false }), server.url);
    const named = await server.role('odd @/:name');
    const odd = makeUrl(named);
    assert.equal(odd.user, 'odd @/:name');
    assert.equal(odd.database, 'odd @/:name');
    const other = engine({}, url.set({ user: odd.user, password: odd.password, database: odd.database }));
    assert.equal(
      await other.begin((connection) => connection.raw('select current_database()').scalar()),
      'odd @/:name',
    );
    assert.ok(!other.url.includes('secret'));
  });

  it('[F003] an engine from configuration, and connections made by a function of the caller', async () => {
    const configured = engineFromConfig(
      {
        DATABASE_URL: server.url,
        DATABASE_POOL_MAX: '2',
        DATABASE_ISOLATION: 'serializable',
        OTHER: 'x',
        DATABASE_ECHO: '',
      },
      { prefix: 'DATABASE_', budget: { scope: 'process' } },
    );
    engines.push(configured);
    assert.equal(await configured.begin(modes), 'serializable off off');
    assert.equal(configured.status.max, 2);
    assert.throws(() => engineFromConfig({ 'athanor.url': server.url, 'athanor.pool.mx': 2 }), UsageError);
    assert.throws(() => engineFromConfig({ 'athanor.url': server.url, 'athanor.pool.max': 'two' }), UsageError);
    assert.throws(() => engineFromConfig({}), UsageError);

    let made = 0;
    const created = engine({
      creator: async (connect) => {
        made += 1;
        const connection = await connect({ applicationName: `mine ${made}` });
        const said = { sql: `set search_path = 'mine'`, params: [], results: undefined, prepare: false };
        await connection.submit([{ text: said, params: [] }], { row: () => undefined });
        return connection;
      },
    });
    const row = await created.begin((connection) =>
      connection
        .raw(`select current_setting('application_name') as name, current_setting('search_path') as path`)
        .one(),
    );
    assert.deepEqual(row, { name: 'mine 1', path: 'mine' });
    let asked = 0;
    const argued = engine(
      {
        connectArgs: {
          password: async () => {
            asked += 1;
            return server.password;
          },
          settings: { search_path: 'theirs' },
        },
      },
      makeUrl(server.url).set({ password: undefined }),
    );
    assert.equal(await argued.begin((connection) => connection.raw(`show search_path`).scalar()), 'theirs');
    assert.ok(asked >= 1);
    assert.throws(() => engine({ connectArgs: { pasword: 'x' } }), UsageError);
    assert.throws(() => createEngine('sqlite::memory:', { connectArgs: { password: 'x' } }), UsageError);
    assert.throws(() => createEngine('embedded:./x', { connectArgs: { password: 'x' } }), UsageError);

    const failing = engine({ creator: () => Promise.reject(new RangeError('mine')) });
    await assert.rejects(failing.connect(), /mine/);
  });

  it('ping and health: an answer in time, or why not, without throwing', async () => {
    const base = engine({ pool: { max: 1 } });
    assert.ok((await base.ping()) >= 0);
    const good = await base.health();
    assert.equal(good.ok, true);
    assert.ok((good.latency ?? 0) > 0);
    const out = await base.connect();
    const bad = await base.health({ timeout: 100 });
    assert.equal(bad.ok, false);
    assert.equal(bad.error?.code, 'ATH_POOL_TIMEOUT');
    assert.equal(bad.pool.inUse, 1);
    await out.close();
    assert.equal(base.status.inUse, 0);
  });

  it('behind a pooler in transaction mode, what needs a session is refused by name before it is sent', async () => {
    const pooled = engine({ pooler: 'transaction' });
    const connection = await pooled.connect();
    for (const refused of [
      `set statement_timeout = 5`,
      'listen x',
      `select pg_advisory_lock(1)`,
      `select 1 where pg_try_advisory_lock_shared(1)`,
      'create temp table t (a int)',
      'prepare p as select 1',
      'declare c cursor with hold for select 1',
      '/* x */ reset all',
    ]) {
      await assert.rejects(connection.raw(refused).all(), UnsupportedError, refused);
      await assert.rejects(connection.script(refused), UnsupportedError, refused);
    }
    await assert.rejects(connection.execute(sql`select pg_advisory_lock(${1})`).all(), UnsupportedError);
    for (const allowed of [
      'set local statement_timeout = 5000',
      `select pg_advisory_xact_lock(1), 'pg_advisory_lock(1)'`,
      'create temp table t (a int) on commit drop',
    ]) {
      await connection.raw(allowed);
    }
    await connection.close();
    assert.throws(() => createEngine(server.url, { pooler: 'statement' } as never), UsageError);
  });
});
