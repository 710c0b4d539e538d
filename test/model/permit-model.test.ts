import assert from 'node:assert/strict';
import test from 'node:test';
import { explore } from './explorer.ts';
import { permitModel, type Variant, type World } from './permit-model.ts';

const world: World = { permits: 2, children: 2, kills: 2, brokerCrashes: 1 };
const bare: Variant = {
  releaseAfterClose: false,
  quarantine: false,
  epochs: false,
  rollCall: false,
  deadLeaveRollCall: false,
};
const released: Variant = { ...bare, releaseAfterClose: true };
const quarantined: Variant = { ...released, quarantine: true };
const fenced: Variant = { ...quarantined, epochs: true };
const rolled: Variant = { ...fenced, rollCall: true };
const right: Variant = { ...rolled, deadLeaveRollCall: true };

const broken: readonly (readonly [string, Variant, 'wrong' | 'stuck'])[] = [
  ['freed when a child dies, released while closing', bare, 'wrong'],
  ['released after the server closed, freed when a child dies', released, 'wrong'],
  ['with quarantine, but a new broker starts from zero', quarantined, 'wrong'],
  ['with epochs, but a new broker starts from zero', fenced, 'wrong'],
  ['with a roll-call that the dead never leave', rolled, 'stuck'],
];
for (const [name, variant, outcome] of broken) {
  test(`the explorer finds what is broken: ${name}`, () => {
    const verdict = explore(permitModel(variant, world));
    assert.equal(verdict.outcome, outcome, verdict.reason);
    assert.ok(verdict.trace.length > 5, verdict.trace.join(' > '));
  });
}

test('the protocol holds in all states', () => {
  const verdict = explore(permitModel(right, world));
  assert.equal(verdict.outcome, 'holds', verdict.trace.join(' > '));
  assert.ok(verdict.states > 4000, `only ${verdict.states} states`);
});

test('the protocol holds in all states with two broker crashes', () => {
  const verdict = explore(permitModel(right, { ...world, brokerCrashes: 2 }));
  assert.equal(verdict.outcome, 'holds', verdict.trace.join(' > '));
  assert.ok(verdict.states > 15_000, `only ${verdict.states} states`);
});

test('the protocol holds in all states with three children', () => {
  const verdict = explore(permitModel(right, { ...world, children: 3, kills: 1 }));
  assert.equal(verdict.outcome, 'holds', verdict.trace.join(' > '));
});
