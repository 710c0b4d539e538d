// What a pool does differently when told to: policies, the serverless preset, warm-up, shedding, leak alarm, detach.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PoolError, PoolOverloadedError, PoolTimeoutError, StateError, UsageError } from '../../../src/errors/index.ts';
import type { Lease } from '../../../src/pool/lease.ts';
import { settled } from '../../../src/testing/clock.ts';
import { fixture, nextWarning, run, watch } from './pool-fixture.ts';

describe('policies', () => {
  it('null: what comes back is closed, and its permit goes back', async () => {
    const { pool, driver, permits } = fixture({ policy: 'null', permitted: 1 });
    const first = await pool.acquire();
    const waiting = watch(pool.acquire());
    first.release();
    await settled();
    assert.equal(driver.connections[0]?.closes, 1);
    assert.equal(waiting.state, 'resolved');
    waiting.value?.release();
    await settled();
    assert.equal(driver.attempts, 2);
    assert.equal(permits.status.held, 0);
  });

  it('static: one connection is out to all at once, and stays', async () => {
    const { pool, driver, clock } = fixture({ policy: 'static', permitted: 5, maxLifetime: 1_000 });
    const leases: Lease[] = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]);
    leases.push(await pool.acquire());
    assert.equal(new Set(leases.map(({ connectionId }) => connectionId)).size, 1);
    await run(leases[0] as Lease, 'BEGIN');
    leases[1]?.release();
    leases[0]?.release();
    assert.equal(pool.status.inUse, 1);
    await run(leases[2] as Lease, 'COMMIT');
    leases[2]?.release();
    assert.throws(() => leases[1]?.connection, StateError);
    leases[3]?.release();
    assert.equal(pool.status.idle, 1);
    await clock.advance(60_000);
    (await pool.acquire()).release();
    assert.equal(driver.attempts, 1);
  });

  it('assertion: a second checkout is refused at once and told where the first was taken', async () => {
    const { pool } = fixture({ policy: 'assertion' });
    const lease = await pool.acquire();
    await assert.rejects(pool.acquire(), (error: PoolError) => {
      assert.ok(error instanceof PoolError);
      assert.match(error.message, /out already.*taken at .*policies\.test\.ts/s);
      return true;
    });
    lease.release();
    (await pool.acquire()).release();
  });

  it('a policy or preset there is not is refused', () => {
    assert.throws(() => fixture({ policy: 'none' as 'null' }), UsageError);
    assert.throws(() => fixture({ preset: 'edge' as 'serverless' }), UsageError);
  });
});

describe("preset 'serverless'", () => {
  it('has no timer while nobody waits, closes what idled too long when somebody comes, and opens few', async () => {
    const { pool, driver, clock } = fixture({ preset: 'serverless', permitted: 9 });
    const leases = [await pool.acquire(), await pool.acquire()];
    const third = watch(pool.acquire());
    await settled();
    assert.equal(third.state, 'pending');
    for (const lease of leases) lease.release();
    await settled();
    third.value?.release();
    assert.equal(clock.timers, 0);
    await clock.advance(9_000);
    const recent = await pool.acquire();
    await clock.advance(2_000);
    recent.release();
    assert.equal(clock.timers, 0);
    (await pool.acquire()).release();
    await settled();
    assert.equal(driver.open, 1);
  });

  it('after a freeze that its own clock did not see, a connection is asked for a sign of life', async () => {
    const { pool, driver, clock } = fixture({ preset: 'serverless' });
    (await pool.acquire()).release();
    (await pool.acquire()).release();
    assert.deepEqual(driver.connections[0]?.ran, []);
    clock.freeze(5_000);
    (await pool.acquire()).release();
    assert.deepEqual(driver.connections[0]?.ran, ['select 1']);
    clock.freeze(3_600_000);
    (await pool.acquire()).release();
    await settled();
    assert.equal(driver.connections[0]?.closes, 1);
    assert.equal(driver.attempts, 2);
  });
});

describe('the minimum', () => {
  it('is opened by warm(), or behind the first checkout, and again after a loss', async () => {
    const warm = fixture({ min: 3, permitted: 5 });
    await warm.pool.warm();
    assert.equal(warm.driver.attempts, 3);
    assert.equal(warm.pool.status.idle, 3);

    const { pool, driver, permits } = fixture({ min: 3, permitted: 5 });
    const lease = await pool.acquire();
    await settled();
    assert.equal(pool.status.open, 3);
    assert.equal(pool.status.idle, 2);
    lease.release();
    pool.invalidate();
    await settled();
    (await pool.acquire()).release();
    await settled();
    assert.equal(driver.open, 3);
    assert.equal(permits.status.held, 3);
  });

  it('what cannot be opened for it is tried once, and told to nobody', async () => {
    const { pool, driver, clock } = fixture({ min: 3, permitted: 5 });
    driver.onConnect = (attempt) => {
      if (attempt > 1) throw new UsageError('no more');
    };
    const lease = await pool.acquire();
    await clock.advance(60_000);
    assert.ok(driver.attempts <= 3, String(driver.attempts));
    lease.release();
    await assert.rejects(pool.warm(), UsageError);
  });
});

describe('shedding', () => {
  /** Keeps one connection busy for `hold` ms a turn, with one newcomer each `every` ms; gives what the waits came to. */
  async function load(shedding: boolean, { hold, every }: { hold: number; every: number }): Promise<number[][]> {
    const { pool, clock } = fixture({
      permitted: 1,
      shedding,
      acquireTimeout: 60_000,
      stallAfter: 1e9,
      callSites: false,
    });
    const served: number[] = [];
    const refused: number[] = [];
    let free = 0;
    const running: Promise<void>[] = [];
    for (let now = 0; now < 6_000; now += 10) {
      if (now % every === 0) {
        const since = clock.now();
        running.push(
          pool.acquire().then(
            async (lease) => {
              served.push(clock.now() - since);
              await new Promise<void>((resolve) => clock.timer(hold, resolve));
              free += 1;
              lease.release();
            },
            (error: unknown) => {
              assert.ok(error instanceof PoolOverloadedError);
              assert.equal(error.code, 'ATH_POOL_OVERLOADED');
              refused.push(clock.now() - since);
            },
          ),
        );
      }
      await clock.advance(10);
    }
    await clock.advance(60_000);
    await Promise.all(running);
    assert.equal(free, served.length);
    return [served, refused];
  }

  it('refuses nobody while the queue is short, and nobody unless asked to', async () => {
    assert.equal((await load(true, { hold: 40, every: 50 }))[1]?.length, 0);
    assert.equal((await load(false, { hold: 100, every: 50 }))[1]?.length, 0);
  });

  it('when the queue stays long, refuses those who have waited so that the others wait less', async () => {
    const [served = [], refused = []] = await load(true, { hold: 100, every: 50 });
    const [patient = []] = await load(false, { hold: 100, every: 50 });
    assert.ok(refused.length > 20, `${refused.length} refused`);
    assert.ok(Math.max(...served.slice(-20)) < 400, String(served.slice(-20)));
    assert.ok(Math.max(...patient.slice(-20)) > 2_000);
  });

  it('also when nobody is served at all', async () => {
    const { pool, clock } = fixture({ permitted: 1, shedding: { target: 100, interval: 500 }, stallAfter: 1e9 });
    const lease = await pool.acquire();
    const waiting = watch(pool.acquire());
    await clock.advance(3_000);
    assert.ok(waiting.error instanceof PoolOverloadedError);
    assert.match(waiting.error.message, /Refused after \d+ ms/);
    lease.release();
  });
});

describe('what is out', () => {
  it('for too long is reported once, with who took it', async () => {
    const { pool, clock } = fixture({ leakAfter: 2_000 });
    const lease = await pool.acquire();
    const prompt = await pool.acquire();
    await clock.advance(1_000);
    prompt.release();
    const warning = nextWarning('ATH_POOL_OVERDUE');
    await run(lease, 'select slow');
    await clock.advance(1_500);
    assert.match((await warning).message, /within 2000 ms; taken at .*policies\.test\.ts.*select slow/);
    let again = 0;
    const count = (): void => void (again += 1);
    process.on('warning', count);
    await clock.advance(10_000);
    process.off('warning', count);
    assert.equal(again, 0);
    lease.release();
  });

  it('trouble wears off: callers are noted for a minute, and no longer', async () => {
    const { pool, clock } = fixture({ permitted: 2, idleTimeout: 1e9, pingAfter: 1e9 });
    const noted = async (): Promise<boolean> => {
      const site = pool.callSite(noted, { frames: 1, scoped: true });
      return site !== undefined;
    };
    (await pool.acquire()).release();
    assert.equal(await noted(), false);
    const lease = await pool.acquire();
    await run(lease, 'BEGIN');
    const warning = nextWarning('ATH_POOL_OPEN_TRANSACTION');
    lease.release();
    await warning;
    await settled();
    assert.equal(await noted(), true);
    await clock.advance(59_000);
    assert.equal(await noted(), true);
    await clock.advance(2_000);
    assert.equal(await noted(), false);
  });

  it('can be detached: the pool opens another, the permit stays spent until it is closed', async () => {
    const { pool, driver, permits } = fixture({ permitted: 2, max: 1 });
    const lease = await pool.acquire();
    const next = watch(pool.acquire());
    await settled();
    assert.equal(next.state, 'pending');
    lease.detach();
    lease.detach();
    await settled();
    assert.equal(next.state, 'resolved');
    assert.deepEqual([pool.status.open, pool.status.detached, permits.status.held], [1, 1, 2]);
    await pool.dispose();
    await run(lease, 'select mine');
    lease.release();
    await settled();
    assert.equal(driver.connections[0]?.closes, 1);
    assert.deepEqual([pool.status.detached, permits.status.held], [0, 1]);
    assert.throws(() => lease.detach(), StateError);
  });
});

it('notes on a place in the pool outlive the connection', async () => {
  const { pool } = fixture({ permitted: 2 });
  const first = await pool.acquire();
  first.info.set('of', 'connection');
  first.recordInfo.set('of', 'place');
  first.invalidate('test');
  await settled();
  const second = await pool.acquire();
  assert.equal(second.info.size, 0);
  assert.equal(second.recordInfo.get('of'), 'place');
  assert.equal((await pool.acquire()).recordInfo.size, 0);
});

it('the state of each connection is shown by name', async () => {
  const { pool, clock, driver } = fixture({ permitted: 3 });
  const states = (): string[] => pool.status.connections.map(({ state }) => state);
  const lease = await pool.acquire();
  const other = await pool.acquire();
  other.release();
  await clock.advance(50);
  assert.deepEqual(states(), ['in use', 'idle']);
  assert.deepEqual(
    pool.status.connections.map(({ serverPid, age, generation }) => [serverPid, age, generation]),
    [
      [1001, 50, 0],
      [1002, 50, 0],
    ],
  );
  driver.script = () => ({ after: new Promise(() => {}) });
  await clock.advance(2_000);
  watch(pool.acquire());
  assert.deepEqual(states(), ['in use', 'checking']);
  lease.invalidate('test');
  assert.deepEqual(states(), ['closing', 'checking']);
});

it('a wait that timed out while the event loop was blocked says so', async () => {
  const { pool, clock } = fixture({ permitted: 1 });
  await pool.acquire();
  const waiting = watch(pool.acquire({ timeout: 1_000 }));
  await clock.advance(900);
  await clock.stall(3_000);
  assert.ok(waiting.error instanceof PoolTimeoutError);
  assert.match(waiting.error.message, /event loop was blocked for (?:2\.\d|3\.0) s/);
});
