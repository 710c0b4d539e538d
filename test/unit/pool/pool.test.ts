import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  BudgetTimeoutError,
  CancelledError,
  ConnectError,
  ForeignOwnerError,
  PoolClosedError,
  PoolTimeoutError,
  ServerFullError,
  StateError,
  UsageError,
} from '../../../src/errors/index.ts';
import type { Permits } from '../../../src/pool/permits.ts';
import type { Lease } from '../../../src/pool/lease.ts';
import type { ObservedConnection } from '../../../src/pool/pool-events.ts';
import { deferred } from '../../../src/primitives/deferred.ts';
import { settled } from '../../../src/testing/clock.ts';
import { fixture, nextWarning, run, watch } from './pool-fixture.ts';

describe('checkout', () => {
  it('opens nothing before the first use and reuses what came back', async () => {
    const { pool, driver } = fixture();
    assert.equal(driver.attempts, 0);
    const first = await pool.acquire();
    first.release();
    const second = await pool.acquire();
    assert.equal(second.connectionId, first.connectionId);
    assert.equal(driver.attempts, 1);
  });

  it('[F024] is bounded, grows only when needed, and waits with a deadline', async () => {
    const { pool, driver, clock } = fixture({ permitted: 2 });
    const first = await pool.acquire();
    const second = await pool.acquire();
    assert.equal(driver.attempts, 2);
    const third = watch(pool.acquire({ timeout: 1_000 }));
    await clock.advance(999);
    assert.equal(third.state, 'pending');
    await clock.advance(2);
    assert.ok(third.error instanceof PoolTimeoutError);
    assert.equal(driver.attempts, 2);
    second.release();
    first.release();
    assert.equal(pool.status.idle, 2);
  });

  it('a warm checkout starts no timer and asks for no permit', async () => {
    const { pool, clock, permits } = fixture({ idleTimeout: Number.POSITIVE_INFINITY });
    (await pool.acquire()).release();
    assert.equal(clock.timers, 0);
    const asked = permits.status.held;
    for (let round = 0; round < 10; round += 1) (await pool.acquire()).release();
    assert.equal(clock.timers, 0);
    assert.equal(permits.status.held, asked);
  });

  it('[F025] gives out the connection used last, so that others age out; or the one used first, if asked', async () => {
    for (const order of ['lifo', 'fifo'] as const) {
      const { pool } = fixture({ permitted: 3, order });
      const leases = [await pool.acquire(), await pool.acquire(), await pool.acquire()];
      for (const lease of leases) lease.release();
      const next = await pool.acquire();
      assert.equal(next.connectionId, leases[order === 'lifo' ? 2 : 0]?.connectionId, order);
    }
  });

  it('serves waiters first come, first served', async () => {
    const { pool } = fixture({ permitted: 1 });
    let lease = await pool.acquire();
    const order: number[] = [];
    const waiting = [1, 2, 3].map(async (number) => {
      const mine = await pool.acquire();
      order.push(number);
      mine.release();
    });
    lease.release();
    lease = await pool.acquire();
    await Promise.all(waiting);
    assert.deepEqual(order, [1, 2, 3]);
    lease.release();
  });

  it('the error of a timeout names figures, holders and cures', async () => {
    const { pool, clock } = fixture({ permitted: 1, stallAfter: Number.POSITIVE_INFINITY });
    const lease = await pool.acquire();
    await run(lease, 'BEGIN');
    await run(lease, 'select * from users');
    const failing = watch(pool.acquire({ timeout: 2_000 }));
    await clock.advance(2_000);
    const { error } = failing;
    assert.ok(error instanceof PoolTimeoutError);
    assert.match(error.message, /within 2000 ms: 1 of 1 open, 1 in use, 0 idle/);
    assert.match(
      error.message,
      /held for 2\.0 s; in a transaction; last statement: select \* from users; taken at .*pool\.test\.ts/,
    );
    assert.match(error.message, /raise the limit/);
    assert.equal(error.holders[0]?.connectionId, lease.connectionId);
    assert.equal(error.retryable, true);
    assert.equal(error.outcome, 'not-sent');
  });

  it('refuses a lease after its end', async () => {
    const { pool } = fixture();
    const lease = await pool.acquire();
    lease.release();
    lease.release();
    assert.throws(() => lease.connection, StateError);
    assert.equal(pool.status.idle, 1);
  });

  it('refuses options that make no sense', () => {
    for (const options of [{ max: 0 }, { min: -1 }, { acquireTimeout: Number.NaN }, { min: 3, max: 2 }]) {
      assert.throws(() => fixture(options), UsageError);
    }
  });
});

describe('waiting', () => {
  it('a cancelled waiter does not lose the connection that is being opened', async () => {
    const { pool, driver } = fixture({ permitted: 1 });
    const gate = deferred<void>();
    driver.onConnect = () => gate.promise;
    const abort = new AbortController();
    const first = watch(pool.acquire({ signal: abort.signal }));
    const second = watch(pool.acquire());
    await settled();
    abort.abort(new Error('no longer'));
    await settled();
    assert.ok(first.error instanceof CancelledError);
    assert.match(String(first.error.cause), /no longer/);
    gate.resolve();
    await settled();
    assert.equal(second.state, 'resolved');
    assert.equal(driver.attempts, 1);
  });

  it('a connection that nobody waits for any more lies idle', async () => {
    const { pool, driver } = fixture({ permitted: 1 });
    const gate = deferred<void>();
    driver.onConnect = () => gate.promise;
    const abort = new AbortController();
    const only = watch(pool.acquire({ signal: abort.signal }));
    await settled();
    abort.abort();
    gate.resolve();
    await settled();
    assert.equal(only.state, 'rejected');
    assert.equal(pool.status.idle, 1);
  });

  it('refuses a signal that has fired already', async () => {
    const { pool, driver } = fixture();
    await assert.rejects(pool.acquire({ signal: AbortSignal.abort() }), CancelledError);
    assert.equal(driver.attempts, 0);
  });

  it('a failing connect frees its place and wakes the next waiter', async () => {
    const { pool, driver, permits } = fixture({ permitted: 1 });
    driver.onConnect = (attempt) => {
      if (attempt === 1) throw new ConnectError('refused');
    };
    const first = watch(pool.acquire());
    const second = watch(pool.acquire());
    await settled();
    assert.ok(first.error instanceof ConnectError);
    assert.equal(second.state, 'resolved');
    assert.equal(permits.status.held, 1);
  });

  it('a hanging connect does not hold up the others', async () => {
    const { pool, driver, clock } = fixture({ permitted: 3 });
    driver.onConnect = (attempt) => (attempt === 1 ? new Promise(() => {}) : undefined);
    const first = watch(pool.acquire());
    await settled();
    const second = watch(pool.acquire());
    await settled();
    // The second attempt serves the first in line; the second in line gets a third attempt when the first proves slow.
    assert.equal(first.state, 'resolved');
    await clock.advance(1_300);
    assert.equal(second.state, 'resolved');
    assert.equal(driver.attempts, 3);
  });

  it('[X03] a full server is waited for inside the deadline, then named in one error', async () => {
    const { pool, driver, clock } = fixture({ permitted: 1 });
    driver.onConnect = (attempt) => {
      if (attempt < 4) throw new ServerFullError('too many clients', { sqlState: '53300' });
    };
    const lucky = watch(pool.acquire());
    await clock.advance(1_000);
    assert.equal(lucky.state, 'resolved');
    assert.equal(driver.attempts, 4);

    const full = fixture({ permitted: 1 });
    full.driver.onConnect = () => {
      throw new ServerFullError('too many clients', { sqlState: '53300' });
    };
    const unlucky = watch(full.pool.acquire({ timeout: 3_000 }));
    await full.clock.advance(3_000);
    assert.ok(unlucky.error instanceof PoolTimeoutError);
    assert.match(unlucky.error.message, /too many clients/);
    assert.ok(unlucky.error.cause instanceof ServerFullError);
    await full.clock.advance(2_000);
    assert.equal(full.permits.status.held, 0);
  });

  it('[T29] a thousand waiters on two connections are served in order, each within its deadline', async () => {
    const { pool } = fixture({ permitted: 2 });
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 1_000 }, async (_, number) => {
        const lease = await pool.acquire();
        order.push(number);
        await settled();
        lease.release();
      }),
    );
    assert.deepEqual(
      order,
      [...order].sort((one, other) => one - other),
    );
    assert.equal(order.length, 1_000);
    assert.equal(pool.status.open, 2);
  });

  it('lets no more wait than allowed', async () => {
    const { pool } = fixture({ permitted: 1, maxWaiting: 1 });
    const lease = await pool.acquire();
    const waiting = pool.acquire();
    await assert.rejects(pool.acquire(), /1 checkouts wait already/);
    lease.release();
    (await waiting).release();
  });

  it('a server that is starting up is asked again, one that refuses is not', async () => {
    const { pool, driver, clock } = fixture({ permitted: 1 });
    driver.onConnect = (attempt) => {
      if (attempt < 3) throw new ConnectError('the database system is starting up', { sqlState: '57P03' });
    };
    const patient = watch(pool.acquire());
    await clock.advance(1_000);
    assert.equal(patient.state, 'resolved');
    assert.equal(driver.attempts, 3);
  });

  it('a waiter that leaves takes its request for a permit along', async () => {
    const { pool, permits, clock } = fixture({ permitted: 1 });
    await pool.acquire();
    const abort = new AbortController();
    const leaving = watch(pool.acquire({ signal: abort.signal }));
    await settled();
    assert.equal(permits.status.waiting, 1);
    abort.abort();
    await settled();
    assert.equal(leaving.state, 'rejected');
    assert.equal(permits.status.waiting, 0);
    watch(pool.acquire({ timeout: 100 }));
    await clock.advance(100);
    assert.equal(permits.status.waiting, 0);
  });

  it('where the pool itself is the limit, the place of a closed connection is taken at once', async () => {
    const { pool } = fixture({ permitted: 5, max: 1 });
    const lease = await pool.acquire();
    const next = watch(pool.acquire());
    await settled();
    lease.invalidate('test');
    await settled();
    assert.equal(next.state, 'resolved');
  });

  it('a returned connection ends the wait for a permit', async () => {
    const { pool, permits } = fixture({ permitted: 1 });
    const lease = await pool.acquire();
    const next = watch(pool.acquire());
    await settled();
    assert.equal(permits.status.waiting, 1);
    lease.release();
    await settled();
    assert.equal(next.state, 'resolved');
    assert.equal(permits.status.waiting, 0);
  });
});

describe('the age of connections', () => {
  it('[F026] one that idled over a second is asked for a sign of life; a dead one takes its generation with it', async () => {
    const { pool, driver, clock } = fixture({ permitted: 3 });
    const leases = [await pool.acquire(), await pool.acquire(), await pool.acquire()];
    for (const lease of leases) lease.release();
    await clock.advance(1_100);
    (await pool.acquire()).release();
    assert.deepEqual(driver.connections[2]?.ran, ['select 1']);

    await clock.advance(1_100);
    driver.script = (_, connection) =>
      connection.identity.pid <= 1003 ? { error: new ConnectError('dead') } : undefined;
    const lease = await pool.acquire();
    assert.equal(driver.attempts, 4);
    await settled();
    assert.deepEqual(
      driver.connections.slice(0, 3).map((connection) => connection.status),
      ['closed', 'closed', 'closed'],
    );
    assert.equal(pool.status.open, 1);
    lease.release();
  });

  it('a ping that is not answered ends within a second', async () => {
    const { pool, driver, clock } = fixture({ permitted: 2 });
    (await pool.acquire()).release();
    await clock.advance(2_000);
    driver.script = ({ text }) => (text.sql === 'select 1' ? { after: new Promise(() => {}) } : undefined);
    const lease = watch(pool.acquire());
    await clock.advance(1_001);
    assert.equal(lease.state, 'resolved');
    assert.equal(driver.connections[0]?.destroys, 1);
  });

  it('[F027] lifetime ends at checkout or at rest, never while out, and never beyond its limit', async () => {
    const { pool, driver, clock } = fixture({
      maxLifetime: 60_000,
      idleTimeout: Number.POSITIVE_INFINITY,
      random: () => 1,
    });
    const lease = await pool.acquire();
    await clock.advance(100_000);
    assert.equal(lease.usable, true);
    lease.release();
    await settled();
    assert.equal(driver.connections[0]?.closes, 1);
    (await pool.acquire()).release();
    await clock.advance(53_000);
    (await pool.acquire()).release();
    assert.equal(driver.attempts, 2);
    await clock.advance(1_500);
    (await pool.acquire()).release();
    assert.equal(driver.attempts, 3);
  });

  it('jitter spreads the end of connections that were opened together', async () => {
    let roll = 0;
    const { pool, driver, clock } = fixture({
      permitted: 2,
      maxLifetime: 60_000,
      idleTimeout: Number.POSITIVE_INFINITY,
      pingAfter: Number.POSITIVE_INFINITY,
      random: () => (roll++ === 0 ? 1 : 0),
    });
    const leases = [await pool.acquire(), await pool.acquire()];
    for (const lease of leases) lease.release();
    await clock.advance(55_000);
    const next = [await pool.acquire(), await pool.acquire()];
    await settled();
    assert.deepEqual(
      driver.connections.map((connection) => connection.closes),
      [1, 0, 0],
    );
    for (const lease of next) lease.release();
  });

  it('what idles above the minimum is closed after a while', async () => {
    const { pool, clock, permits } = fixture({ permitted: 3, min: 1 });
    const leases = [await pool.acquire(), await pool.acquire(), await pool.acquire()];
    for (const lease of leases) lease.release();
    await clock.advance(9_000);
    assert.equal(pool.status.idle, 3);
    await clock.advance(7_000);
    assert.equal(pool.status.idle, 1);
    assert.equal(permits.status.held, 1);
  });

  it('[F028] invalidate() replaces all that are older; a lease drops its connection at once or on return', async () => {
    const { pool, driver } = fixture({ permitted: 4 });
    const [out, idle] = [await pool.acquire(), await pool.acquire()] as [Lease, Lease];
    idle.release();
    pool.invalidate();
    await settled();
    assert.equal(driver.connections[1]?.status, 'closed');
    assert.equal(out.usable, true);
    out.release();
    await settled();
    assert.equal(driver.connections[0]?.status, 'closed');

    const hard = await pool.acquire();
    hard.invalidate('because');
    await settled();
    assert.equal(driver.connections[2]?.status, 'closed');
    const soft = await pool.acquire();
    soft.invalidate('because', true);
    assert.equal(driver.connections[3]?.status, 'idle');
    soft.release();
    await settled();
    assert.equal(driver.connections[3]?.status, 'closed');
    (await pool.acquire()).release();
    assert.equal(driver.attempts, 5);
  });

  it('an idle connection that goes away is dropped in silence; one in use takes its generation with it', async () => {
    const { pool, driver, permits } = fixture({ permitted: 3 });
    const leases = [await pool.acquire(), await pool.acquire(), await pool.acquire()] as [Lease, Lease, Lease];
    leases[0].release();
    leases[1].release();
    driver.connections[0]?.lose();
    assert.equal(pool.status.idle, 1);
    assert.equal(permits.status.held, 2);
    driver.connections[2]?.lose();
    await settled();
    assert.equal(pool.status.open, 0);
    assert.equal(leases[2].usable, false);
    leases[2].release();
    assert.equal(permits.status.held, 0);
    (await pool.acquire()).release();
  });
});

describe('return', () => {
  it('[F029] ends an open transaction with a warning, as told: rollback, commit, or not at all', async () => {
    for (const [resetOnReturn, ran, closes] of [
      ['rollback', ['BEGIN', 'ROLLBACK'], 0],
      ['commit', ['BEGIN', 'COMMIT'], 0],
      ['none', ['BEGIN'], 1],
    ] as const) {
      const { pool, driver } = fixture({ permitted: 1, resetOnReturn });
      const resets: string[] = [];
      pool.on('reset', (_, sql) => resets.push(sql));
      const lease = await pool.acquire();
      await run(lease, 'BEGIN');
      const warning = nextWarning('ATH_POOL_OPEN_TRANSACTION');
      const next = pool.acquire();
      lease.release();
      assert.match((await warning).message, /inside a transaction; taken at .*pool\.test\.ts.*; last statement: BEGIN/);
      (await next).release();
      assert.deepEqual(driver.connections[0]?.ran, ran);
      assert.equal(driver.connections[0]?.closes, closes);
      assert.deepEqual(resets, ran.slice(1));
    }
  });

  it('a connection whose reset fails is destroyed', async () => {
    const { pool, driver } = fixture({ permitted: 1 });
    driver.script = ({ text }) => (text.sql === 'ROLLBACK' ? { error: new ConnectError('dead') } : undefined);
    const lease = await pool.acquire();
    await run(lease, 'BEGIN');
    const warning = nextWarning('ATH_POOL_OPEN_TRANSACTION');
    lease.release();
    await warning;
    await settled();
    assert.equal(driver.connections[0]?.destroys, 1);
    assert.equal(pool.status.open, 0);
  });

  it('one with work under way is destroyed, and its place freed only after a while', async () => {
    const { pool, driver, permits, clock } = fixture({ permitted: 1 });
    driver.script = () => ({ after: new Promise(() => {}) });
    const lease = await pool.acquire();
    void run(lease, 'select pg_sleep(100)').catch(() => {});
    lease.release();
    assert.equal(driver.connections[0]?.destroys, 1);
    assert.equal(permits.status.held, 1, 'the server may still be at it');
    await clock.advance(2_100);
    assert.equal(permits.status.held, 0);
  });
});

describe('ending', () => {
  it('a permit is given back only when the server has closed its end', async () => {
    const { pool, driver, permits } = fixture({ permitted: 1 });
    (await pool.acquire()).release();
    const gate = deferred<void>();
    (driver.connections[0] as { closing: Promise<void> }).closing = gate.promise;
    const disposed = pool.dispose();
    await settled();
    assert.equal(permits.status.held, 1);
    assert.equal(pool.status.closing, 1);
    gate.resolve();
    await disposed;
    assert.equal(permits.status.held, 0);
  });

  it('dispose() closes what is idle now, the rest on return, and leaves the pool usable', async () => {
    const { pool, driver } = fixture({ permitted: 2 });
    const [out, idle] = [await pool.acquire(), await pool.acquire()] as [Lease, Lease];
    idle.release();
    await pool.dispose();
    assert.equal(driver.open, 1);
    out.release();
    await settled();
    assert.equal(driver.open, 0);
    (await pool.acquire()).release();
  });

  it('close() refuses waiters and newcomers, waits for the holders, and ends all', async () => {
    const { pool, driver, permits } = fixture({ permitted: 1 });
    const lease = await pool.acquire();
    const waiting = watch(pool.acquire());
    const closed = watch(pool.close());
    await settled();
    assert.ok(waiting.error instanceof PoolClosedError);
    assert.equal(closed.state, 'pending');
    await assert.rejects(pool.acquire(), PoolClosedError);
    lease.release();
    await settled();
    assert.equal(closed.state, 'resolved');
    assert.equal(driver.open, 0);
    assert.equal(permits.status.held, 0);
  });

  it('close() drops what does not come back in time, and an attempt that is under way', async () => {
    const { pool, driver, clock } = fixture({ permitted: 2 });
    await pool.acquire();
    driver.onConnect = (_, { signal }) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(new CancelledError('stopped')));
      });
    const opening = watch(pool.acquire());
    await settled();
    const closed = watch(pool.close({ timeout: 500 }));
    await clock.advance(500);
    assert.equal(closed.state, 'resolved');
    assert.equal(opening.state, 'rejected');
    assert.equal(driver.open, 0);
    assert.equal(pool.status.open, 0);
  });
});

describe('permits', () => {
  it('a recall closes idle connections, oldest first, and never one in use', async () => {
    const { pool, driver, permits } = fixture({ permitted: 3 });
    const leases = [await pool.acquire(), await pool.acquire(), await pool.acquire()] as [Lease, Lease, Lease];
    leases[1].release();
    leases[2].release();
    permits.onRecall?.(1);
    await settled();
    assert.deepEqual(
      driver.connections.map((connection) => connection.status),
      ['idle', 'closed', 'idle'],
    );
    permits.onRecall?.(2);
    await settled();
    assert.equal(leases[0].usable, true);
    assert.equal(permits.status.held, 1);
    // What could not be given is given when it comes back.
    leases[0].release();
    await settled();
    assert.equal(permits.status.held, 0);
  });

  it('that are refused at once are not asked for in a circle: the wait ends at its deadline', async () => {
    const { clock } = fixture();
    let asked = 0;
    const refusing: Permits = {
      onRecall: undefined,
      status: { budget: 1, most: 1, held: 0, waiting: 0, text: 'no permits' },
      acquire() {
        asked += 1;
        return Promise.reject(new BudgetTimeoutError('none left'));
      },
      close: () => Promise.resolve(),
    };
    const { pool } = fixture({ permits: refusing, clock });
    const waiting = watch(pool.acquire({ timeout: 100 }));
    await settled();
    assert.equal(asked, 1);
    await clock.advance(100);
    await settled();
    assert.ok(waiting.error instanceof PoolTimeoutError);
    // A later comer with a later deadline may ask again.
    watch(pool.acquire({ timeout: 100 }));
    await settled();
    assert.equal(asked, 2);
    await pool.close();
  });
});

describe('owners', () => {
  it('another process or thread can neither check out, use, return nor dispose what it did not open', async () => {
    let owner = { pid: 1, threadId: 0, epoch: 1 };
    const { pool, driver } = fixture({ permitted: 3, owner: () => owner });
    const lease = await pool.acquire();
    await run(lease, 'BEGIN');
    (await pool.acquire()).release();
    for (const foreign of [
      { pid: 2, threadId: 0, epoch: 1 },
      { pid: 1, threadId: 3, epoch: 1 },
      { pid: 1, threadId: 0, epoch: 2 },
    ]) {
      const home = owner;
      owner = foreign;
      await assert.rejects(pool.acquire(), ForeignOwnerError);
      assert.throws(() => lease.connection, /was opened by process 1, thread 0/);
      owner = home;
    }
    owner = { pid: 2, threadId: 0, epoch: 2 };
    lease.release();
    await pool.dispose();
    assert.deepEqual(driver.connections[0]?.ran, ['BEGIN']);
    assert.deepEqual(
      driver.connections.map((connection) => connection.closes + connection.destroys),
      [0, 0],
    );
    const own = await pool.acquire();
    assert.equal(driver.attempts, 3);
    own.release();
  });
});

function stopper(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

describe('what can be seen', () => {
  it('[F033] observers hear of each step, and one that throws disturbs nobody', async () => {
    const { pool, driver } = fixture({ permitted: 1 });
    const heard: string[] = [];
    const warning = nextWarning('ATH_OBSERVER');
    pool.on('connect', () => {
      throw new TypeError('mine');
    });
    const { signal, abort } = stopper();
    const names = ['firstConnect', 'connect', 'checkout', 'checkin', 'reset', 'invalidate', 'softInvalidate'] as const;
    for (const name of [...names, 'close', 'detach', 'closeDetached'] as const) {
      pool.on(name, ({ serverPid }: ObservedConnection) => void heard.push(`${name} ${serverPid}`), { signal });
    }
    const first = await pool.acquire();
    await warning;
    await run(first, 'BEGIN');
    first.release();
    await settled();
    const second = await pool.acquire();
    second.invalidate('test', true);
    second.release();
    await settled();
    (await pool.acquire()).invalidate('test');
    await settled();
    abort();
    (await pool.acquire()).release();
    assert.deepEqual(heard, [
      'firstConnect 1001',
      'connect 1001',
      'checkout 1001',
      'checkin 1001',
      'reset 1001',
      'checkout 1001',
      'softInvalidate 1001',
      'checkin 1001',
      'close 1001',
      'connect 1002',
      'checkout 1002',
      'invalidate 1002',
      'close 1002',
    ]);
    assert.equal(driver.attempts, 3);
  });

  it('a status in figures and in one line, and notes on a connection that last as long as it', async () => {
    const { pool } = fixture({ permitted: 2 });
    const lease = await pool.acquire();
    lease.info.set('seen', true);
    (await pool.acquire()).release();
    const { status } = pool;
    assert.deepEqual([status.max, status.open, status.inUse, status.idle, status.waiting], [2, 2, 1, 1, 0]);
    assert.equal(
      status.text,
      '2 of 2 open, 1 in use, 1 idle, 0 connecting, 0 closing, 0 waiting; this process holds 2 of its 2 permits',
    );
    lease.release();
    const again = await pool.acquire();
    assert.equal(again.info.get('seen'), true);
    again.invalidate('test');
    const other = await pool.acquire();
    other.invalidate('test');
    assert.equal((await pool.acquire()).info.size, 0);
  });

  it('cannot be cloned', async () => {
    const { pool } = fixture();
    const lease = await pool.acquire();
    for (const thing of [pool, lease, { deep: [lease] }]) {
      assert.throws(() => structuredClone(thing), { code: 'ATH_NOT_TRANSFERABLE' });
    }
    assert.match(JSON.stringify(pool), /1 of 2 open/);
    lease.release();
  });
});
