// Who is next: least first, first come first served among equals, and the last one only for whoever has none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextWaiter, recalls, type Share } from '../../../../src/process/broker/fair-share.ts';

const share = (held: number, firstWant: number | undefined, recallable = 0): Share => ({
  held,
  firstWant,
  waiting: firstWant === undefined ? 0 : 1,
  recallable,
});

test('the waiter that holds least is next, then the one that asked first', () => {
  const late = share(1, 9);
  const early = share(1, 4);
  const rich = share(3, 1);
  assert.equal(nextWaiter([rich, late, early], 5), early);
  assert.equal(nextWaiter([rich, share(0, undefined)], 5), rich);
});

test('the last free permit is only for a process that has none, so that a parent cannot starve the child it waits for', () => {
  const parent = share(3, 1);
  const child = share(0, 2);
  assert.equal(nextWaiter([parent], 2), parent);
  assert.equal(nextWaiter([parent], 1), undefined);
  assert.equal(nextWaiter([parent, child], 1), child);
});

test('idle permits move to where shares become more equal, and to whoever has none', () => {
  const rich = share(3, undefined, 3);
  const poor = share(0, 1);
  assert.deepEqual(recalls([rich, poor], 0, 0), new Map([[rich, 1]]));
  assert.deepEqual(recalls([share(1, undefined, 1), share(1, 2)], 0, 0), new Map());
});
