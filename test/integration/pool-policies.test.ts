// What a pool does differently when told to, seen from the server's side.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { PoolError, PoolTimeoutError } from '../../src/index.ts';
import { Engine } from '../../src/engine/engine.ts';
import { LocalPermits } from '../../src/pool/local-permits.ts';
import type { Lease } from '../../src/pool/lease.ts';
import { run } from '../unit/pool/pool-fixture.ts';
import { type Place, places } from './engine-kit.ts';

const pidOf = (lease: Lease): number => lease.connection.identity.pid;

describe('pool policies on PostgreSQL', () => {
  let place: Place;
  before(async () => {
    place = await places.postgresql();
  });
  after(() => place.stop());

  const listed = async (): Promise<number> => (await place.server?.connectionCount()) ?? -1;

  it("[F030] a detached connection is no longer the pool's, keeps its permit, and is closed by its holder", async () => {
    const engine = await place.engine({ max: 2, pool: { max: 1 } });
    const lease = await engine.pool.acquire();
    const pid = pidOf(lease);
    lease.detach();
    assert.deepEqual([engine.status.open, engine.status.detached], [0, 1]);
    const other = await engine.pool.acquire();
    assert.notEqual(pidOf(other), pid);
    await run(lease, 'select 1');
    other.release();
    await engine.dispose();
    await run(lease, 'select 2');
    assert.equal(await listed(), 1);
    lease.release();
    const next = await engine.pool.acquire();
    assert.notEqual(pidOf(next), pid);
    next.release();
    await engine.close();
    assert.equal(await listed(), 0);
  });

  it('[F031] null keeps nothing open; static has one for all; assertion lends one at a time and names its holder', async () => {
    const none = await place.engine({ max: 2, pool: { policy: 'null' } });
    const before = await none.pool.acquire();
    const pid = pidOf(before);
    before.release();
    const again = await none.pool.acquire();
    assert.notEqual(pidOf(again), pid);
    again.release();
    await none.dispose();
    assert.equal(none.status.idle, 0);
    await none.close();

    const one = await place.engine({ max: 5, pool: { policy: 'static' } });
    const leases = await Promise.all([one.pool.acquire(), one.pool.acquire(), one.pool.acquire()]);
    assert.equal(new Set(leases.map(pidOf)).size, 1);
    await Promise.all(leases.map((lease) => run(lease, 'select pg_sleep(0.01)')));
    assert.equal(await listed(), 1);
    for (const lease of leases) lease.release();
    assert.equal(one.status.idle, 1);
    await one.close();

    const alone = await place.engine({ max: 5, pool: { policy: 'assertion' } });
    const holder = await alone.connect();
    await holder.raw('select 7');
    await assert.rejects(alone.connect(), (error: PoolError) => {
      assert.ok(error instanceof PoolError);
      assert.match(error.message, /last statement: select 7; taken at .*pool-policies\.test\.ts/);
      return true;
    });
    await holder.close();
    await (await alone.connect()).close();
    await alone.close();
  });

  it('[F032] waiting never blocks the thread, and what was checked out must be given back', async () => {
    const engine = await place.engine({ max: 1 });
    const lease = await engine.pool.acquire();
    let turns = 0;
    const beat = setInterval(() => (turns += 1), 5);
    await assert.rejects(engine.pool.acquire({ timeout: 200 }), PoolTimeoutError);
    clearInterval(beat);
    assert.ok(turns > 10, `${turns} turns of the event loop`);
    const next = engine.pool.acquire();
    lease.release();
    const mine = await next;
    await run(mine, 'select 1');
    assert.equal(engine.status.inUse, 1);
    mine.release();
    assert.equal(engine.status.inUse, 0);
    await engine.close();
  });

  it('[F034] status in a line and by connection; notes on a connection, and on its place, which outlive it', async () => {
    const engine = await place.engine({ max: 2 });
    await engine.dispose();
    const [one, two] = [await engine.pool.acquire(), await engine.pool.acquire()];
    two.release();
    assert.match(engine.status.text, /^2 of 2 open, 1 in use, 1 idle, 0 connecting, 0 closing, 0 waiting; /);
    assert.deepEqual(
      engine.status.connections.map(({ serverPid, state }) => [serverPid, state]),
      [
        [pidOf(one), 'in use'],
        [engine.status.connections[1]?.serverPid, 'idle'],
      ],
    );
    one.info.set('a', 1);
    one.recordInfo.set('b', 2);
    const pid = pidOf(one);
    one.invalidate('test');
    await engine.dispose();
    const next = await engine.pool.acquire();
    assert.notEqual(pidOf(next), pid);
    assert.equal(next.info.get('a'), undefined);
    assert.equal(next.recordInfo.get('b'), 2);
    next.release();
    const same = await engine.pool.acquire();
    assert.equal(same.recordInfo.get('b'), 2);
    same.release();
    await engine.close();
  });

  it('the minimum is opened by warm(), kept, and opened again when the server cut it', {
    timeout: 20_000,
  }, async () => {
    const plain = await place.engine({ max: 1 });
    await plain.close();
    const pool = { min: 3, idleTimeout: 50 };
    const engine = new Engine({ dialect: plain.dialect, permits: new LocalPermits({ max: 4 }), url: 'test', pool });
    assert.equal(await listed(), 0);
    await engine.pool.warm();
    assert.equal(await listed(), 3);
    const opened = new Promise<void>((resolve) => {
      let count = 0;
      engine.pool.on('connect', () => (++count === 3 ? resolve() : undefined));
    });
    await place.server?.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
    );
    await opened;
    assert.equal(engine.status.open, 3);
    await engine.close();
  });
});
