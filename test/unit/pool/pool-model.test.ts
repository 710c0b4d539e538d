// Random schedules of everything that can happen to a pool; what must hold, holds after each step.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { ConnectError, ServerFullError } from '../../../src/errors/index.ts';
import type { Lease } from '../../../src/pool/lease.ts';
import { settled } from '../../../src/testing/clock.ts';
import type { FakeConnection } from '../../../src/testing/fake-driver.ts';
import { fixture, watch } from './pool-fixture.ts';

const PERMITTED = 3;
type Step =
  | { readonly kind: 'acquire'; readonly timeout: number }
  | { readonly kind: 'cancel'; readonly which: number }
  | { readonly kind: 'release'; readonly which: number }
  | { readonly kind: 'drop'; readonly which: number }
  | { readonly kind: 'detach'; readonly which: number }
  | { readonly kind: 'kill'; readonly which: number }
  | { readonly kind: 'recall'; readonly count: number }
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'invalidate' }
  | { readonly kind: 'server'; readonly mood: 'well' | 'refusing' | 'full' };

const which = fc.nat(20);
const kind = <K extends string>(name: K): fc.Arbitrary<K> => fc.constant(name);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: kind('acquire'), timeout: fc.integer({ min: 1, max: 5_000 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('cancel'), which }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('release'), which }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('drop'), which }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('detach'), which }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('kill'), which }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('recall'), count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('time'), ms: fc.constantFrom(1, 100, 300, 1_100, 6_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('invalidate') }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: kind('server'), mood: fc.constantFrom('well', 'well', 'refusing', 'full') }),
  },
);
const kinds: fc.Arbitrary<Kind> = fc.record({
  max: fc.integer({ min: 1, max: PERMITTED + 1 }),
  min: fc.nat(PERMITTED),
  policy: fc.constantFrom('queue', 'queue', 'null'),
});
/** Some steps follow each other before anything can settle. */
const schedule = fc.array(fc.tuple(step, fc.boolean()), { minLength: 1, maxLength: 60 });

interface Wait {
  readonly abort: AbortController;
  readonly watched: ReturnType<typeof watch<Lease>>;
  readonly deadline: number;
}

interface Kind {
  readonly max: number;
  readonly min: number;
  readonly policy: 'queue' | 'null';
}

async function play({ max, min: least, policy }: Kind, steps: readonly (readonly [Step, boolean])[]): Promise<void> {
  const min = Math.min(least, max);
  const { pool, driver, permits, clock } = fixture({ permitted: PERMITTED, max, min, policy });
  let mood: 'well' | 'refusing' | 'full' = 'well';
  driver.onConnect = () => {
    if (mood === 'refusing') throw new ConnectError('refused');
    if (mood === 'full') throw new ServerFullError('full');
  };
  const waits = new Set<Wait>();
  const held: Lease[] = [];
  const collect = (): void => {
    for (const wait of waits) {
      if (wait.watched.state === 'pending') {
        assert.ok(clock.now() <= wait.deadline + 250, 'a wait ends in time');
        continue;
      }
      waits.delete(wait);
      if (wait.watched.value !== undefined) held.push(wait.watched.value);
    }
  };
  const check = (): void => {
    collect();
    const { status } = pool;
    assert.ok(driver.open <= PERMITTED, `${driver.open} open`);
    assert.ok(permits.status.held <= PERMITTED);
    assert.ok(status.open + status.detached <= PERMITTED);
    assert.ok(permits.status.held >= driver.open, 'a permit for each open connection');
    assert.ok(status.open >= status.idle + status.inUse + status.closing);
    assert.equal(status.waiting, waits.size, 'nobody is lost');
    assert.ok(status.waiting === 0 || status.idle === 0, 'nobody waits beside an idle connection');
    assert.ok(
      status.waiting > 0 || status.open < min || permits.status.waiting === 0,
      'no permit is asked for in vain',
    );
    assert.ok(status.open <= max);
  };
  const act: { readonly [K in Step['kind']]: (step: Extract<Step, { kind: K }>) => void | Promise<void> } = {
    acquire: ({ timeout }) => {
      const abort = new AbortController();
      const watched = watch(pool.acquire({ timeout, signal: abort.signal }));
      waits.add({ abort, watched, deadline: clock.now() + timeout });
    },
    cancel: (one) => pick([...waits], one.which)?.abort.abort(),
    release: (one) => take(held, one.which)?.release(),
    drop: (one) => take(held, one.which)?.invalidate('model'),
    detach: (one) => {
      const lease = take(held, one.which);
      if (lease?.usable !== true) return;
      lease.detach();
      held.push(lease);
    },
    kill: (one) => pick(driver.connections.filter(alive), one.which)?.lose(),
    recall: ({ count }) => permits.onRecall?.(count),
    time: ({ ms }) => clock.advance(ms),
    invalidate: () => pool.invalidate(),
    server: (one) => {
      mood = one.mood;
    },
  };
  for (const [one, rest] of steps) {
    await (act[one.kind] as (step: Step) => void | Promise<void>)(one);
    if (!rest) continue;
    await settled();
    check();
  }
  await settled();
  // Once all is well and everything comes back, everybody is served, and nothing is left.
  mood = 'well';
  for (let round = 0; waits.size > 0 && round < 100; round += 1) {
    for (const lease of held.splice(0)) lease.release();
    await clock.advance(300);
    check();
  }
  assert.equal(waits.size, 0);
  for (const lease of held.splice(0)) lease.release();
  await pool.close();
  await clock.advance(3_000);
  assert.equal(driver.open, 0);
  assert.equal(permits.status.held, 0);
  assert.equal(clock.timers, 0, 'no timer is left');
}

function alive(connection: FakeConnection): boolean {
  return connection.status !== 'closed';
}
function pick<T>(from: readonly T[], index: number): T | undefined {
  return from.length === 0 ? undefined : from[index % from.length];
}
function take<T>(from: T[], index: number): T | undefined {
  return from.length === 0 ? undefined : from.splice(index % from.length, 1)[0];
}

it('whatever happens, permits are never exceeded, nobody who waits is lost, and nothing is left behind', async () => {
  await fc.assert(fc.asyncProperty(kinds, schedule, play), { numRuns: 700 });
});
