import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BudgetTimeoutError, CancelledError, PoolClosedError } from '../../../src/errors/index.ts';
import { LocalPermits } from '../../../src/pool/local-permits.ts';
import { FakeClock, settled } from '../../../src/testing/clock.ts';
import { watch } from './pool-fixture.ts';

describe('LocalPermits', () => {
  it('grants up to its number, then first come, first served', async () => {
    const clock = new FakeClock();
    const permits = new LocalPermits({ max: 2, clock });
    const deadline = Number.POSITIVE_INFINITY;
    const [one, two] = [await permits.acquire({ deadline }), await permits.acquire({ deadline })];
    assert.notEqual(one.id, two.id);
    const [three, four] = [watch(permits.acquire({ deadline })), watch(permits.acquire({ deadline }))];
    assert.equal(permits.status.text, 'this process holds 2 of its 2 permits');
    one.release();
    one.release();
    await settled();
    assert.equal(three.state, 'resolved');
    assert.equal(four.state, 'pending');
    two.release();
    await settled();
    assert.equal(four.state, 'resolved');
  });

  it('ends waiting by deadline, by signal and by close, and forgets those who left', async () => {
    const clock = new FakeClock();
    const permits = new LocalPermits({ max: 1, clock });
    const held = await permits.acquire({ deadline: Number.POSITIVE_INFINITY });
    const abort = new AbortController();
    const late = watch(permits.acquire({ deadline: clock.now() + 100 }));
    const cancelled = watch(permits.acquire({ deadline: Number.POSITIVE_INFINITY, signal: abort.signal }));
    const refused = watch(permits.acquire({ deadline: Number.POSITIVE_INFINITY }));
    await clock.advance(100);
    abort.abort();
    await settled();
    assert.ok(late.error instanceof BudgetTimeoutError);
    assert.ok(cancelled.error instanceof CancelledError);
    assert.equal(permits.status.waiting, 1);
    await permits.close();
    await settled();
    assert.ok(refused.error instanceof PoolClosedError);
    held.release();
    assert.equal(permits.status.held, 0);
    assert.equal(clock.timers, 0);
  });

  it('keeps a permit for a while whose connection was dropped unseen', async () => {
    const clock = new FakeClock();
    const permits = new LocalPermits({ max: 1, linger: 500, clock });
    const held = await permits.acquire({ deadline: Number.POSITIVE_INFINITY });
    held.release(false);
    const next = watch(permits.acquire({ deadline: Number.POSITIVE_INFINITY }));
    await clock.advance(499);
    assert.equal(next.state, 'pending');
    await clock.advance(2);
    assert.equal(next.state, 'resolved');
  });
});
