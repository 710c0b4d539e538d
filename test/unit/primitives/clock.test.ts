import assert from 'node:assert/strict';
import { it } from 'node:test';
import { systemClock } from '../../../src/primitives/clock.ts';
import { deferred } from '../../../src/primitives/deferred.ts';

it('the system clock fires once, can be stopped, and takes delays beyond what Node takes', async () => {
  const fired = deferred<number>();
  const begun = systemClock.now();
  systemClock.timer(5, () => fired.resolve(systemClock.now() - begun));
  assert.ok((await fired.promise) >= 4);
  const stopped = systemClock.timer(0, () => assert.fail('it was stopped'));
  stopped.cancel();
  systemClock.timer(Number.MAX_SAFE_INTEGER, () => assert.fail('too early')).cancel();
  systemClock.timer(1e12, () => assert.fail('too early'), true);
  await new Promise((resolve) => setTimeout(resolve, 10));
});
