// What listeners hear, may change and may refuse, on each database.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  ConnectionLostError,
  createEngine,
  declarativeBase,
  type EngineEventName,
  insert,
  integer,
  MetaData,
  onEngine,
  ProgrammingError,
  select,
  sessionmaker,
  table,
  text,
  UniqueViolationError,
  UsageError,
} from '../../src/index.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { ConnectError } from '../../src/errors/index.ts';
import { startPostgres, type TestServer } from '../servers.ts';
import { Item, type Place, places } from './engine-kit.ts';

class Base extends declarativeBase() {}
class Note extends Base.table('notes', { id: integer().primaryKey(), name: text() }) {}

/** The names of what happens on an engine, in order, with what tells them apart. */
function heard(engine: Engine, names: readonly EngineEventName[]): string[] {
  const list: string[] = [];
  for (const name of names) {
    engine.on(name, (event: object) => {
      const { sql, savepoint } = event as { readonly sql?: string; readonly savepoint?: string };
      list.push([name, sql?.split(' ', 1)[0], savepoint].filter((part) => part !== undefined).join(' '));
    });
  }
  return list;
}

const TRANSACTION: readonly EngineEventName[] = [
  'beforeExecute',
  'afterExecute',
  'begin',
  'commit',
  'afterCommit',
  'rollback',
  'savepoint',
  'rollbackSavepoint',
  'releaseSavepoint',
];

for (const [name, open] of Object.entries(places)) {
  describe(`events on ${name}`, () => {
    /** How SQL of this database names its first parameter. */
    const one = name === 'postgresql' ? '$1' : '?1';
    let place: Place;
    before(async () => {
      place = await open();
    });
    after(() => place.stop());

    it('[F050] a transaction is heard from BEGIN to its end, in order', async () => {
      const engine = await place.engine();
      const list = heard(engine, TRANSACTION);
      const connection = await engine.connect();
      await connection.execute(insert(Item).values({ id: 1, name: 'a' }));
      await connection.beginNested(async () => void (await connection.raw('select 1')));
      await assert.rejects(
        connection.beginNested(async () => {
          await connection.raw('select 2');
          throw new RangeError('mine');
        }),
        RangeError,
      );
      await connection.commit();
      await connection.raw('select 3');
      await connection.close();
      assert.deepEqual(list, [
        'beforeExecute INSERT',
        'begin',
        'afterExecute INSERT',
        'beforeExecute select',
        'savepoint athanor_1',
        'afterExecute select',
        'releaseSavepoint athanor_1',
        'beforeExecute select',
        'savepoint athanor_2',
        'afterExecute select',
        'rollbackSavepoint athanor_2',
        'commit',
        'afterCommit',
        'beforeExecute select',
        'begin',
        'afterExecute select',
        'rollback',
      ]);
    });

    it('[F050] a listener sees the statement, its values, time and rows, and the connection', async () => {
      const engine = await place.engine();
      const seen: unknown[] = [];
      engine.on('afterExecute', ({ sql, params, rows, duration, connectionId, info, engine: facts, site }) => {
        info.set('seen', true);
        seen.push([sql, params, rows, duration >= 0, connectionId !== '', facts.system, String(site)]);
      });
      await engine.begin(async (connection) => {
        await connection.raw(`insert into item values (1, ${one})`, ['a']);
        assert.equal(connection.info.get('seen'), true);
      });
      const [[sql, params, rows, timed, id, system, site]] = seen as [unknown[]];
      assert.deepEqual(
        [sql, params, rows, timed, id, system],
        [`insert into item values (1, ${one})`, ['a'], 1, true, true, name],
      );
      assert.match(String(site), /events\.test\.ts:\d+/);
    });

    it('[F050] what beforeExecute gives takes the place of text and values; each sees what the one before gave', async () => {
      const engine = await place.engine();
      engine.on('beforeExecute', ({ sql }) => (sql.startsWith(`select ${one}`) ? { params: ['other'] } : undefined));
      engine.on('beforeExecute', ({ sql, params }) =>
        sql.startsWith(`select ${one}`) ? { sql: `${sql} || ' and ${String(params[0])}'` } : undefined,
      );
      await engine.begin(async (connection) => {
        assert.equal(await connection.raw(`select ${one}`, ['given']).scalars().one(), 'other and other');
        assert.equal(await connection.raw(`select ${one}`, ['given']).scalars().one(), 'other and other');
      });
    });

    it('an interceptor that throws fails the call before anything is sent, and the transaction goes on', async () => {
      const engine = await place.engine();
      const connection = await engine.connect();
      await connection.raw("insert into item values (1, 'kept')");
      const off = connection.on('beforeExecute', () => {
        throw new RangeError('not this one');
      });
      await assert.rejects(connection.raw("insert into item values (2, 'x')").all(), /not this one/);
      off();
      connection.on('beforeExecute', (async () => {}) as () => void, { once: true });
      await assert.rejects(connection.raw("insert into item values (3, 'x')").all(), UsageError);
      await connection.commit();
      assert.deepEqual(await connection.execute(select(Item.c.id)).scalars(), [1]);
      await connection.close();
    });

    it('whoever throws from commit keeps it from going, in sessions too', async () => {
      const engine = await place.engine();
      await Base.metadata.createAll(engine);
      await engine.begin((connection) => connection.raw('delete from notes').all());
      const off = engine.on('commit', () => {
        throw new RangeError('not yet');
      });
      const Session = sessionmaker({ bind: engine });
      await assert.rejects(
        Session.begin(async (session) => session.add(new Note({ id: 1, name: 'a' }))),
        /not yet/,
      );
      off();
      await Session.begin(async (session) => {
        assert.equal(await session.get(Note, 1), null);
      });
    });

    it('COMMIT does not ride along where somebody listens between', async () => {
      const engine = await place.engine();
      await Base.metadata.createAll(engine);
      await engine.begin((connection) => connection.raw('delete from notes').all());
      const list: string[] = [];
      engine.on('afterExecute', ({ sql }) => void list.push(sql.split(' ', 1)[0] as string));
      engine.on('commit', () => void list.push('commit'));
      engine.on('afterCommit', () => void list.push('committed'));
      await sessionmaker({ bind: engine }).begin(async (session) => session.add(new Note({ id: 1, name: 'a' })));
      assert.deepEqual(list, ['INSERT', 'commit', 'committed']);
    });

    it('an observer that throws, now or later, is reported and changes nothing', async () => {
      const said: string[] = [];
      const quiet = (): void => {};
      const logger = { debug: quiet, info: quiet, error: quiet, warn: (line: string) => void said.push(line) };
      const engine = await place.engine({ logger });
      engine.on('afterExecute', () => {
        throw new RangeError('oh');
      });
      engine.on('begin', (async () => {
        throw new RangeError('ah');
      }) as () => void);
      await engine.begin((connection) => connection.raw('select 1').all());
      assert.ok(said.some((line) => line.includes('afterExecute') && line.includes('RangeError: oh')));
      assert.ok(said.some((line) => line.includes('begin') && line.includes('RangeError: ah')));
    });

    it('[F049] listeners: class- and instance-level, once, prepended, contained, removed, by signal, with named arguments and a value given back', async () => {
      const list: string[] = [];
      const everywhere = onEngine('beforeExecute', ({ sql, engine: facts }) => {
        if (sql === 'select 9') list.push(`every engine, ${facts.system}`);
      });
      const first = await place.engine();
      const second = await place.engine();
      const here = (): void => void list.push('this engine');
      first.on('beforeExecute', here);
      first.on('beforeExecute', () => void list.push('this engine, first'), { prepend: true });
      first.on('beforeExecute', () => void list.push('once'), { once: true });
      const stop = new AbortController();
      first.on('beforeExecute', () => void list.push('until stopped'), { signal: stop.signal });
      assert.equal(first.events.has('beforeExecute', here), true);
      assert.equal(second.events.has('beforeExecute', here), false);
      const connection = await first.connect();
      connection.on('beforeExecute', () => {
        list.push('this connection');
        return { sql: 'select 10' };
      });
      const ask = (): Promise<unknown> => connection.raw('select 9').scalars().one();
      assert.equal(await ask(), 10);
      const local = ['this engine, first', 'this engine', 'until stopped', 'this connection'];
      assert.deepEqual(list.splice(0), [`every engine, ${name}`, ...local.toSpliced(2, 0, 'once')]);
      stop.abort();
      assert.equal(first.events.off('beforeExecute', here), true);
      await ask();
      assert.deepEqual(list.splice(0), [`every engine, ${name}`, 'this engine, first', 'this connection']);
      await connection.close();
      await second.begin((other) => other.raw('select 9').all());
      assert.deepEqual(list.splice(0), [`every engine, ${name}`]);
      everywhere();
      await second.begin((other) => other.raw('select 9').all());
      assert.deepEqual(list, []);
      // oxlint-disable-next-line typescript/no-explicit-any -- a name that is misspelt
      assert.throws(() => first.on('beforeExcute' as any, () => {}), UsageError);
    });

    it('doConnect changes options, brings another connection, or refuses; handleError replaces, and calls a disconnect', async () => {
      const engine = await place.engine();
      const asked: (string | undefined)[] = [];
      const offs = [
        engine.on('doConnect', ({ options }) => ({ options: { ...options, applicationName: 'mine' } })),
        engine.on('doConnect', async ({ options }) => {
          asked.push(options.applicationName);
          return { connection: await engine.dialect.driver.connect(options) };
        }),
        engine.on('doConnect', () => assert.fail('a connection was brought already')),
      ];
      await engine.dispose();
      await engine.begin(async (connection) => {
        if (name === 'postgresql') {
          const [row] = await connection.raw<{ name: string }>("select current_setting('application_name') as name");
          assert.equal(row?.name, 'mine');
        } else await connection.raw('select 1');
      });
      assert.deepEqual(asked, ['mine']);
      for (const off of offs) off();
      engine.on('handleError', (event) => {
        if (event.error instanceof ConnectError) event.error = new RangeError('no way');
        if (event.error instanceof UniqueViolationError) event.error = new RangeError('it is there already');
        if (event.sql === 'select gone') event.isDisconnect = true;
      });
      await engine.dispose();
      const refuse = engine.on('doConnect', () => {
        throw new ConnectError('closed on Sundays');
      });
      await assert.rejects(
        engine.connect(),
        (error: Error) => error.message === 'no way' && error.cause instanceof ConnectError,
      );
      refuse();
      await engine.begin((connection) => connection.execute(insert(Item).values({ id: 1, name: 'a' })).all());
      await assert.rejects(
        engine.begin((connection) => connection.execute(insert(Item).values({ id: 1, name: 'a' })).all()),
        (error: Error) => error instanceof RangeError && error.cause instanceof UniqueViolationError,
      );
      const connection = await engine.connect();
      await connection.raw('select 1');
      const { connectionId } = connection;
      const { generation } = engine.status;
      await assert.rejects(
        connection.raw('select gone').all(),
        (error: ProgrammingError) => error instanceof ProgrammingError && error.connectionInvalidated,
      );
      await connection.rollback();
      await connection.raw('select 1');
      assert.notEqual(connection.connectionId, connectionId);
      assert.equal(engine.status.generation, generation + 1);
      await connection.close();
    });

    it('[F050] an engine says when its connections were closed', async () => {
      const engine = await place.engine();
      const list: string[] = [];
      engine.on('engineDisposed', ({ how }) => void list.push(how));
      await engine.dispose();
      await engine.close();
      assert.deepEqual(list, ['dispose', 'close']);
    });

    it('a change of the schema is heard before and after, for all tables and for each, and listeners work inside it', async () => {
      const engine = await place.engine();
      const metadata = new MetaData();
      const parent = table('event_parent', metadata, { id: integer().primaryKey() });
      table('event_child', metadata, { id: integer().primaryKey() });
      const list: string[] = [];
      for (const event of ['beforeCreate', 'afterCreate', 'beforeDrop', 'afterDrop'] as const) {
        engine.on(event, (told) => {
          assert.equal(told.metadata, metadata);
          list.push(`${event} ${told.table?.name ?? `all ${told.tables.length}`}`);
        });
      }
      engine.on('afterCreate', async ({ table: made, connection }) => {
        if (made?.name === 'event_parent') await connection.raw(`insert into event_parent values (${one})`, [7]);
      });
      await metadata.createAll(engine);
      await engine.begin(async (connection) => {
        assert.deepEqual(await connection.execute(select(parent.c.id)).scalars(), [7]);
      });
      await metadata.dropAll(engine);
      const tables = ['event_parent', 'event_child'];
      assert.deepEqual(list.slice(0, 3), ['beforeCreate all 2', ...tables.map((one) => `beforeCreate ${one}`)]);
      assert.deepEqual(list.slice(3, 6), [...tables.map((one) => `afterCreate ${one}`), 'afterCreate all 2']);
      assert.deepEqual(list.slice(6, 9).toSorted(), [
        'beforeDrop all 2',
        'beforeDrop event_child',
        'beforeDrop event_parent',
      ]);
      assert.equal(list.at(-1), 'afterDrop all 2');
      engine.on('beforeCreate', () => {
        throw new RangeError('not here');
      });
      await assert.rejects(metadata.createAll(engine), /not here/);
      await assert.rejects(
        engine.begin((connection) => connection.execute(select(parent.c.id)).all()),
        ProgrammingError,
      );
    });
  });
}

describe('events of a server', () => {
  let place: Place;
  before(async () => {
    place = await places.postgresql();
  });
  after(() => place.stop());

  it('a connection that went away ends its transaction for listeners too', async () => {
    const engine = await place.engine();
    const list = heard(engine, ['begin', 'rollback', 'afterCommit']);
    let disconnect: boolean | undefined;
    engine.on('handleError', (event) => {
      disconnect = event.isDisconnect;
    });
    const connection = await engine.connect();
    const [row] = await connection.raw<{ pid: number }>('select pg_backend_pid() as pid');
    await place.server?.query('select pg_terminate_backend($1)', [row?.pid]);
    await assert.rejects(
      connection.raw('select pg_sleep(5)').all(),
      (error: ConnectionLostError) => error instanceof ConnectionLostError && error.connectionInvalidated,
    );
    await connection.rollback();
    await connection.close();
    assert.equal(disconnect, true);
    assert.deepEqual(list, ['begin', 'rollback']);
  });
});

describe('two-phase events', () => {
  let server: TestServer;
  let engine: Engine;
  before(async () => {
    server = await startPostgres({ settings: { max_prepared_transactions: '4' } });
    engine = createEngine(server.url, { budget: { scope: 'process' } });
  });
  after(async () => {
    await engine.close();
    await server.stop();
  });

  it('[F050] prepared transactions are heard under their name; whoever throws from prepareTwoPhase keeps it from going', async () => {
    const list: string[] = [];
    for (const name of ['beginTwoPhase', 'prepareTwoPhase', 'commitTwoPhase', 'rollbackTwoPhase'] as const) {
      engine.on(name, ({ xid }) => void list.push(`${name} ${xid}`));
    }
    for (const name of ['begin', 'commit', 'afterCommit', 'rollback', 'engineDisposed'] as const) {
      engine.on(name, () => void list.push(name));
    }
    const connection = await engine.connect();
    const first = await connection.beginTwoPhase('one');
    await connection.raw('select 1');
    await first.prepare();
    await first.commit();
    const second = await connection.beginTwoPhase('two');
    await connection.raw('select 2');
    await second.prepare();
    await second.rollback();
    assert.deepEqual(list.splice(0), [
      'beginTwoPhase one',
      'prepareTwoPhase one',
      'commitTwoPhase one',
      'beginTwoPhase two',
      'prepareTwoPhase two',
      'rollbackTwoPhase two',
    ]);
    const off = engine.on('prepareTwoPhase', () => {
      throw new RangeError('not yet');
    });
    const third = await connection.beginTwoPhase('three');
    await connection.raw('select 3');
    await assert.rejects(third.prepare(), /not yet/);
    off();
    await third.rollback();
    assert.deepEqual(list.splice(0), ['beginTwoPhase three', 'prepareTwoPhase three', 'rollback']);
    await connection.close();
    assert.deepEqual(await server.query('select gid from pg_prepared_xacts'), []);
    await engine.dispose();
    assert.deepEqual(list.splice(0), ['engineDisposed']);
  });
});
