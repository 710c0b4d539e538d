import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Simulation } from './simulation.ts';

test('the broker keeps the budget under kills, broken lines, dead brokers and repeated frames', () => {
  const totals = { granted: 0, kills: 0, brokers: 0, recalled: 0, terminated: 0, peaks: 0, runs: 0 };
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 2, max: 7 }),
      fc.integer({ min: 1, max: 8 }),
      (seed, budget, processes) => {
        const report = new Simulation({ seed, budget, processes, duration: 15_000 }).run();
        totals.granted += report.granted;
        totals.kills += report.kills;
        totals.brokers += report.brokers;
        totals.recalled += report.recalled;
        totals.terminated += report.terminated;
        totals.peaks += report.peak === budget - 1 ? 1 : 0;
        totals.runs += 1;
      },
    ),
    { numRuns: 250, examples: [[-1379464645, 6, 3]] },
  );
  // The runs were worth something: all of it happened, and the budget was used to the full.
  for (const [what, count] of Object.entries(totals)) assert.ok(count >= 20, `${what}: ${count}`);
});

for (const weakness of ['no roll-call', 'no settling', 'old list'] as const) {
  test(`the simulation finds a broker with ${weakness}`, () => {
    const found = fc.check(
      fc.property(fc.integer(), (seed) => {
        new Simulation({ seed, budget: 4, processes: 6, duration: 15_000, weakness }).run();
      }),
      { numRuns: 250, endOnFailure: true },
    );
    assert.equal(found.failed, true);
    assert.match(String(found.errorInstance), /connections on a budget|overdrawn/);
  });
}
