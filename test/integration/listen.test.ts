import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createEngine, type Engine, type Listener, type ListenEvent, UnsupportedError } from '../../src/index.ts';
import { startPostgres, type TestServer } from '../servers.ts';
import { engineUrl } from '../ways.ts';

async function next(listener: Listener): Promise<ListenEvent> {
  const { value } = await listener.next();
  assert.ok(value !== undefined);
  return value;
}

describe('LISTEN', () => {
  let server: TestServer;
  let engine: Engine;
  before(async () => {
    server = await startPostgres({ maxConnections: 20 });
    engine = createEngine(engineUrl(server.url), { budget: { scope: 'process', size: 6 }, pool: { max: 3 } });
  });
  after(async () => {
    await engine.close({ timeout: 0 });
    await server.stop();
  });

  const say = (channel: string, payload: string): Promise<void> =>
    engine.begin((connection) => connection.notify(channel, payload));

  it('[X28] announcements arrive in order, from several channels, when their transaction commits', async () => {
    const listener = engine.listen(['news', 'Odd "channel"']);
    await listener.ready;
    assert.equal(engine.status.inUse, 1, 'a connection of the pool, under the budget');
    assert.throws(() => structuredClone(listener), { code: 'ATH_NOT_TRANSFERABLE' });
    await say('news', 'one');
    await say('Odd "channel"', 'two');
    await say('other', 'not ours');
    const connection = await engine.connect();
    await connection.notify('news', 'undone');
    await connection.rollback();
    await connection.notify('news', 'three');
    await connection.commit();
    await connection.close();
    const seen = [await next(listener), await next(listener), await next(listener)];
    assert.deepEqual(
      seen.map((event) => (event.gap ? 'gap' : [event.channel, event.payload])),
      [
        ['news', 'one'],
        ['Odd "channel"', 'two'],
        ['news', 'three'],
      ],
    );
    await listener.close();
    assert.deepEqual(await listener.next(), { done: true, value: undefined });
    assert.equal(engine.status.inUse, 0);
    // The connection no longer listens.
    assert.deepEqual(await engine.begin((given) => given.raw('select * from pg_listening_channels()').all()), []);
  });

  it('[X28][T47] a lost connection is replaced, and the reader is told of the gap: nothing is missed without it', async () => {
    const listener = engine.listen('news');
    await listener.ready;
    await say('news', 'before');
    assert.deepEqual({ ...(await next(listener)), pid: 0 }, { gap: false, channel: 'news', payload: 'before', pid: 0 });
    const waiting = next(listener);
    await server.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where query like 'LISTEN%' and pid <> pg_backend_pid()`,
    );
    await say('news', 'lost or not');
    assert.deepEqual(await waiting, { gap: true, reason: 'reconnected' });
    await say('news', 'after');
    let event = await next(listener);
    if (!event.gap && event.payload === 'lost or not') event = await next(listener);
    assert.deepEqual({ ...event, pid: 0 }, { gap: false, channel: 'news', payload: 'after', pid: 0 });
    await server.restart('immediate');
    assert.deepEqual(await next(listener), { gap: true, reason: 'reconnected' });
    await say('news', 'again');
    assert.equal((await next(listener)).gap, false);
    await listener.close();
  });

  it('[X28] a reader who does not come loses the oldest, and is told', async () => {
    const listener = engine.listen('news', { maxBuffer: 3 });
    await listener.ready;
    await engine.begin(async (connection) => {
      for (const payload of ['1', '2', '3', '4', '5']) await connection.notify('news', payload);
    });
    await engine.begin((connection) => connection.notify('marker', ''));
    const events: (string | boolean)[] = [];
    while (events.at(-1) !== '5') {
      const event = await next(listener);
      events.push(event.gap ? event.reason : event.payload);
    }
    assert.deepEqual(events, ['overflow', '3', '4', '5']);
    await listener.close();
  });

  it('[X28] the signal, leaving the loop and engine.close() end it; a pooler and a database without it are refused by name', async () => {
    const ending = new AbortController();
    const seen: string[] = [];
    const listener = engine.listen('news', { signal: ending.signal });
    await listener.ready;
    const reading = (async () => {
      for await (const event of listener) {
        if (event.gap) continue;
        seen.push(event.payload);
        if (event.payload === 'stop') ending.abort();
      }
    })();
    await say('news', 'go');
    await say('news', 'stop');
    await reading;
    assert.deepEqual(seen, ['go', 'stop']);

    const left = engine.listen('news');
    await left.ready;
    await say('news', 'x');
    for await (const event of left) {
      assert.equal(event.gap, false);
      break;
    }
    assert.equal(engine.status.inUse, 0);

    const other = createEngine(engineUrl(server.url), { budget: { scope: 'process' } });
    const open = other.listen('news');
    await open.ready;
    const begun = performance.now();
    await other.close();
    assert.ok(performance.now() - begun < 2_000, 'closing does not wait for a listener');
    assert.equal((await open.next()).done, true);

    const pooled = createEngine(engineUrl(server.url), { budget: { scope: 'process' }, pooler: 'transaction' });
    assert.throws(() => pooled.listen('news'), UnsupportedError);
    await pooled.close();
    const lite = createEngine('sqlite::memory:');
    assert.throws(() => lite.listen('news'), UnsupportedError);
    await lite.close();
  });

  it('a first connection that cannot be made rejects the reader', async () => {
    const nowhere = createEngine('postgresql://nobody:x@127.0.0.1:1/none', { budget: { scope: 'process', size: 2 } });
    const listener = nowhere.listen('news');
    await assert.rejects(listener.ready);
    await assert.rejects(listener.next());
    await nowhere.close();
  });
});
