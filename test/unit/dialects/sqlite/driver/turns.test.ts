import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from '../../../../../src/dialects/sqlite/driver/turns.ts';

test('what is finished at once was run inside the call', async () => {
  const turns = new Turns();
  const ran: string[] = [];
  const first = turns.take(() => ran.push('a') > 0);
  assert.deepEqual(ran, ['a']);
  await first;
});

test('what is not finished is tried again, and the others wait their turn', async () => {
  const turns = new Turns();
  const ran: string[] = [];
  let tries = 0;
  const slow = turns.take(() => {
    ran.push('slow');
    return ++tries === 3;
  });
  const quick = turns.take(() => ran.push('quick') > 0);
  assert.deepEqual(ran, ['slow']);
  await Promise.all([slow, quick]);
  assert.deepEqual(ran, ['slow', 'slow', 'slow', 'quick']);
});

test('a step that throws rejects its own turn only', async () => {
  const turns = new Turns();
  const waits = [false, true];
  const slow = turns.take(() => waits.shift() ?? true);
  const broken = turns.take(() => {
    throw new RangeError('broken');
  });
  const after = turns.take(() => true);
  await slow;
  await assert.rejects(broken, RangeError);
  await after;
  await assert.rejects(
    turns.take(() => {
      throw new RangeError('at once');
    }),
    RangeError,
  );
});

test('a turn taken inside a step comes after it', async () => {
  const turns = new Turns();
  const ran: string[] = [];
  let inner: Promise<void> | undefined;
  await turns.take(() => {
    inner = turns.take(() => ran.push('inner') > 0);
    ran.push('outer');
    return true;
  });
  await inner;
  assert.deepEqual(ran, ['outer', 'inner']);
});
