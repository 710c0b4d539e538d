// Transactions whose end is not seen by the session that began them: two-phase commit, a COMMIT whose answer was lost,
// whole transactions that are run again.
import assert from 'node:assert/strict';
import { createServer, connect as connectSocket, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import {
  CommitOutcomeUnknownError,
  CommitRolledBackError,
  createEngine,
  declarativeBase,
  type Engine,
  integer,
  sessionmaker,
  StateError,
  text,
  UniqueViolationError,
  UnsupportedError,
  UsageError,
} from '../../src/index.ts';
import { startPostgres, type TestServer } from '../servers.ts';
import { engineUrl } from '../ways.ts';

class Base extends declarativeBase() {}
class Item extends Base.table('item', { id: integer().primaryKey(), name: text() }) {}

/** Lets bytes through until told to keep back what the server says. */
class Gate {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Cut when the client sends this; the server gets it, or not. */
  cut: { readonly text: string; readonly pass: boolean } | undefined;

  constructor(target: { readonly host: string; readonly port: number }) {
    this.#server = createServer((client) => {
      const upstream = connectSocket(target);
      for (const socket of [client, upstream]) {
        this.#sockets.add(socket);
        socket.on('error', () => undefined);
      }
      let deaf = false;
      client.on('data', (data) => {
        if (this.cut !== undefined && data.includes(this.cut.text)) {
          deaf = true;
          if (this.cut.pass) upstream.write(data);
          this.cut = undefined;
          setImmediate(() => client.destroy());
          // The server must have read it before it sees the end.
          setTimeout(() => upstream.end(), 50);
        } else if (!deaf) upstream.write(data);
      });
      upstream.on('data', (data) => {
        if (!deaf) client.write(data);
      });
      client.on('close', () => deaf || upstream.destroy());
      upstream.on('close', () => client.destroy());
    });
  }
  async open(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as { port: number }).port;
  }
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

describe('the outcome of transactions on PostgreSQL', () => {
  let server: TestServer;
  let engine: Engine;
  let gate: Gate;
  let gated: Engine;
  before(async () => {
    server = await startPostgres({ maxConnections: 20, settings: { max_prepared_transactions: '5' } });
    engine = createEngine(engineUrl(server.url), { budget: { scope: 'process' } });
    await Base.metadata.createAll(engine);
    gate = new Gate({ host: '127.0.0.1', port: server.port });
    const url = new URL(server.url);
    url.hostname = '127.0.0.1';
    url.port = String(await gate.open());
    gated = createEngine(engineUrl(url.href), { budget: { scope: 'process' }, trackOutcome: true });
  });
  after(async () => {
    await gated.close({ timeout: 0 });
    await gate.close();
    await engine.close({ timeout: 0 });
    await server.stop();
  });
  const count = async (): Promise<unknown> =>
    (await server.query<{ n: number }>('select count(*)::int as n from item'))[0]?.n;

  it('[F007] two-phase: prepare, end it here or in another session, find what was left after a crash', async () => {
    const connection = await engine.connect();
    const two = await connection.beginTwoPhase("it's 1");
    await connection.raw(`insert into item values (1, 'a')`);
    assert.throws(() => structuredClone(two), { code: 'ATH_NOT_TRANSFERABLE' });
    await two.prepare();
    assert.equal(two.isPrepared, true);
    assert.equal(connection.inTransaction, false);
    await assert.rejects(two.prepare(), StateError);
    assert.equal(await count(), 0);
    assert.deepEqual(await connection.recoverTwoPhase(), ["it's 1"]);
    await connection.rollback();
    await two.commit();
    assert.equal(await count(), 1);
    await assert.rejects(two.rollback(), StateError);

    const undone = await connection.beginTwoPhase();
    await connection.raw(`insert into item values (2, 'b')`);
    await undone.prepare();
    await undone.rollback();
    const plain = await connection.beginTwoPhase();
    await connection.raw(`insert into item values (3, 'c')`);
    await plain.commit();
    assert.equal(await count(), 2);

    const failing = await connection.beginTwoPhase('bad');
    await assert.rejects(connection.raw(`insert into item values (1, 'twice')`).all(), UniqueViolationError);
    await assert.rejects(failing.prepare(), CommitRolledBackError);
    await failing.close();
    assert.deepEqual(await connection.recoverTwoPhase(), []);
    await connection.rollback();

    for (const xid of ['left', 'kept']) {
      const left = await connection.beginTwoPhase(xid);
      await connection.raw(`insert into item values (${xid === 'left' ? 4 : 5}, 'd')`);
      await left.prepare();
    }
    await connection.close();
    await server.restart('immediate');
    const later = await engine.connect();
    assert.deepEqual(await later.recoverTwoPhase(), ['left', 'kept']);
    await assert.rejects(later.commitPrepared('kept'), StateError, 'in a transaction');
    await later.rollback();
    await later.rollbackPrepared('left');
    await later.commitPrepared('kept');
    assert.equal(await count(), 3);
    await assert.rejects(later.beginTwoPhase('x'.repeat(200)), UsageError);
    await later.close();
    const lite = createEngine('sqlite::memory:');
    await lite.begin(async (given) => assert.rejects(given.beginTwoPhase(), UnsupportedError));
    await lite.close();
    await server.query('delete from item');
  });

  it('[X21] a COMMIT whose answer was lost says so, and the server tells what became of it', async () => {
    for (const pass of [true, false]) {
      const connection = await gated.connect();
      await connection.raw('select 1');
      await connection.raw(`insert into item values (${pass ? 10 : 11}, 'x')`);
      gate.cut = { text: 'COMMIT', pass };
      const error: unknown = await connection.commit().catch((thrown: unknown) => thrown);
      assert.ok(error instanceof CommitOutcomeUnknownError);
      assert.equal(error.outcome, 'unknown');
      assert.match(String(error.transactionId), /^\d+$/);
      assert.equal(await gated.resolveOutcome(error), pass ? 'committed' : 'aborted');
      assert.equal(await count(), pass ? 1 : 1);
      await connection.close();
    }
    const reading = await gated.connect();
    await reading.raw('select 1');
    gate.cut = { text: 'COMMIT', pass: false };
    const nothing: unknown = await reading.commit().catch((thrown: unknown) => thrown);
    assert.ok(nothing instanceof CommitOutcomeUnknownError);
    assert.equal(nothing.transactionId, null);
    assert.equal(await gated.resolveOutcome(nothing), 'committed');
    await reading.close();
    await assert.rejects(gated.resolveOutcome(new RangeError('x')), UsageError);
    await server.query('delete from item');
  });

  it('[X21] a session’s commit is not fused while it is tracked, and its outcome is told as well', async () => {
    const Session = sessionmaker({ bind: gated });
    for (const pass of [true, false]) {
      const session = Session();
      session.add(new Item({ name: `s${String(pass)}` }));
      gate.cut = { text: 'COMMIT', pass };
      const error: unknown = await session.commit().catch((thrown: unknown) => thrown);
      assert.equal(await gated.resolveOutcome(error), pass ? 'committed' : 'aborted');
      await session.close();
    }
    assert.deepEqual(await server.query('select name from item'), [{ name: 'strue' }]);
    const untracked = await engine.connect();
    await untracked.raw('select 1');
    const [{ pid } = { pid: 0 }] = await untracked.raw<{ pid: number }>('select pg_backend_pid() as pid');
    await untracked.close();
    assert.ok(pid > 0);
    const unknown = new CommitOutcomeUnknownError('lost');
    await assert.rejects(engine.resolveOutcome(unknown), UsageError);
    await server.query('delete from item');
  });

  it('[X21] an outcome still under way is waited for, to the deadline', async () => {
    const connection = await gated.connect();
    await connection.raw(`insert into item values (20, 'slow')`);
    const [number] = await connection.raw('select pg_current_xact_id()::text').scalars();
    const lost = new CommitOutcomeUnknownError('lost', { transactionId: number as string });
    await assert.rejects(gated.resolveOutcome(lost, { timeout: 200 }), { code: 'ATH_TIMEOUT' });
    const waiting = gated.resolveOutcome(lost, { timeout: 5_000 });
    await connection.commit();
    assert.equal(await waiting, 'committed');
    await connection.close();
    await server.query('delete from item');
  });

  it('[X10] a whole transaction is run again where a connection had died before anything was sent; other failures pass', async () => {
    const one = createEngine(engineUrl(server.url), { budget: { scope: 'process' }, pool: { max: 1 } });
    let runs = 0;
    const pids = new Set<unknown>();
    await one.transaction(async (connection) => {
      runs += 1;
      const [pid] = await connection.raw('select pg_backend_pid()').scalars();
      pids.add(pid);
      if (runs > 1) return;
      const gone = new Promise<void>((resolve) => {
        one.pool.on('invalidate', () => resolve(), { once: true });
      });
      await server.query('select pg_terminate_backend($1::int)', [pid]);
      await gone;
      // Nothing can be sent on it any more.
      await connection.raw('select 1');
    });
    assert.equal(runs, 2);
    assert.equal(pids.size, 2);
    let wrong = 0;
    await assert.rejects(
      one.transaction(async (connection) => {
        wrong += 1;
        await connection.raw('select wrong');
      }),
      { sqlState: '42703' },
    );
    assert.equal(wrong, 1);
    let mine = 0;
    await assert.rejects(
      one.transaction(async () => {
        mine += 1;
        throw new RangeError('mine');
      }),
      RangeError,
    );
    assert.equal(mine, 1);
    await one.close();
  });
});
