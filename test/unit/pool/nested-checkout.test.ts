import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NestedCheckoutError } from '../../../src/errors/index.ts';
import type { Lease } from '../../../src/pool/lease.ts';
import { TaskScope } from '../../../src/pool/task-scope.ts';
import { settled } from '../../../src/testing/clock.ts';
import { fixture, run, watch } from './pool-fixture.ts';

describe('nested checkout', () => {
  it('in a callback scope a second connection is refused at once where none is left, naming the holder', async () => {
    const { pool, clock } = fixture({ permitted: 1 });
    const scope = new TaskScope();
    const lease = await pool.acquire({ scope });
    await run(lease, 'select * from held');
    assert.equal(clock.timers, 0);
    await scope.run(async () => {
      await assert.rejects(pool.acquire(), (error: NestedCheckoutError) => {
        assert.ok(error instanceof NestedCheckoutError);
        assert.equal(error.holders[0]?.connectionId, lease.connectionId);
        assert.match(error.message, /would wait for itself.*1 of 1 open/s);
        assert.match(error.message, /last statement: select \* from held/);
        return true;
      });
    });
    assert.equal(clock.timers, 0, 'it never began to wait');
    // Another task waits as usual.
    const other = watch(pool.acquire());
    await settled();
    assert.equal(other.state, 'pending');
    lease.release();
    await settled();
    assert.equal(other.state, 'resolved');
  });

  it('a second connection is given where there is one', async () => {
    const { pool } = fixture({ permitted: 2 });
    const scope = new TaskScope();
    const lease = await pool.acquire({ scope });
    await scope.run(async () => {
      const second = await pool.acquire();
      await assert.doesNotReject(async () => second.release());
    });
    lease.release();
    // Once given back it is no longer held.
    const last = [await pool.acquire(), await pool.acquire()];
    const waiting = watch(scope.run(() => pool.acquire()));
    await settled();
    assert.equal(waiting.state, 'pending');
    for (const taken of last) taken.release();
  });

  it('an inner scope knows what the outer ones hold', async () => {
    const { pool } = fixture({ permitted: 1 });
    const outer = new TaskScope();
    await pool.acquire({ scope: outer });
    await outer.run(async () => {
      const inner = new TaskScope();
      await inner.run(() => assert.rejects(pool.acquire({ scope: inner }), NestedCheckoutError));
    });
  });

  it('where others hold the budget a nested wait ends soon', async () => {
    const { pool, permits, clock } = fixture({ permitted: 2 });
    const elsewhere = await permits.acquire({ deadline: Number.POSITIVE_INFINITY });
    const scope = new TaskScope();
    await pool.acquire({ scope });
    const nested = watch(scope.run(() => pool.acquire()));
    await clock.advance(200);
    assert.equal(nested.state, 'pending');
    await clock.advance(100);
    assert.ok(nested.error instanceof NestedCheckoutError);
    elsewhere.release();
  });
});

describe('stall', () => {
  async function knot(): Promise<{ leases: Lease[] } & ReturnType<typeof fixture>> {
    const made = fixture({ permitted: 2 });
    const leases = [await made.pool.acquire(), await made.pool.acquire()];
    for (const lease of leases) await run(lease, 'BEGIN');
    return { ...made, leases };
  }

  it('waiters on a full pool whose holders all idle in a transaction are refused after 250 ms, last comer first', async () => {
    const { pool, clock, leases } = await knot();
    const [first, second] = [watch(pool.acquire()), watch(pool.acquire())];
    await clock.advance(200);
    assert.equal(second.state, 'pending');
    await clock.advance(60);
    assert.ok(second.error instanceof NestedCheckoutError);
    assert.equal(second.error.holders.length, 2);
    assert.match(second.error.message, /every holder idles in a transaction/);
    assert.equal(first.state, 'pending');
    // The task that was refused gives way, and the other goes on.
    await run(leases[1] as Lease, 'ROLLBACK');
    leases[1]?.release();
    await settled();
    assert.equal(first.state, 'resolved');
  });

  it('a holder that works, or is in no transaction, is waited for', async () => {
    const { pool, clock, leases, driver } = await knot();
    driver.script = ({ text }) => (text.sql === 'slow' ? { after: new Promise(() => {}) } : undefined);
    void run(leases[0] as Lease, 'slow');
    const waiting = watch(pool.acquire({ timeout: 3_000 }));
    await clock.advance(2_900);
    assert.equal(waiting.state, 'pending');

    const idle = fixture({ permitted: 1 });
    await idle.pool.acquire();
    const other = watch(idle.pool.acquire({ timeout: 3_000 }));
    await idle.clock.advance(2_900);
    assert.equal(other.state, 'pending');
  });
});
