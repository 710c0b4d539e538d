// A slice of `npm run simulate`, with a seed that stays, and the proof that it would find something.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { simulations } from './campaign.ts';
import { plant, PLANTED, unplantable } from './planted.ts';

const SCHEDULES = 400;

test('[T58] whatever step of a driver fails, stalls or never ends, pool and transactions keep what they promise', async () => {
  const { failure, happened, committed } = await simulations({ schedules: SCHEDULES, seed: 1, step: 1 });
  assert.equal(failure, undefined, `npm run simulate -- --schedule ${failure?.seed}: ${failure?.what}`);
  // It was worth something: all of it happened.
  assert.ok(committed > 1_000, String(committed));
  for (const what of [
    'connected',
    'unknown',
    'commit answered by rollback',
    'forgotten',
    'given back badly',
    'two at once',
  ])
    assert.ok((happened[what] ?? 0) > 10, `${what}: ${happened[what]}`);
  for (const code of [
    'ATH_POOL_TIMEOUT',
    'ATH_NESTED_CHECKOUT',
    'ATH_CANCELLED',
    'ATH_CONNECTION_LOST',
    'ATH_STATEMENT_TIMEOUT',
  ])
    assert.ok((happened[code] ?? 0) > 10, `${code}: ${happened[code]}`);
});

test('the same seed is the same run', async () => {
  const run = (): ReturnType<typeof simulations> => simulations({ schedules: 20, seed: 77, step: 1 });
  assert.deepEqual(await run(), await run());
});

describe('bugs planted on purpose', () => {
  test('can be planted', () => {
    assert.deepEqual(unplantable(), []);
    assert.ok(PLANTED.length >= 10);
  });
  // Those that are met at once; `npm run simulate -- --planted` looks for all of them.
  for (const bug of PLANTED.filter(({ rare }) => rare !== true)) {
    test(`found: ${bug.what}`, async () => {
      const { failure } = await plant(bug, { seed: 1, patience: 200 });
      assert.notEqual(failure, undefined);
    });
  }
});
