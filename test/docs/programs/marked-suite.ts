// Run by reach.test.ts under the test runner: what each of these reaches is known beforehand.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { announceSubmission } from '../../../src/driver/submissions.ts';

const CHILD = fileURLToPath(new URL('announce.ts', import.meta.url));

announceSubmission({ database: 'outside', version: '1' });

test('reaches nothing [F001]', () => {});
test('reaches one [F002]', () => announceSubmission({ database: 'one', version: '1' }));
test('meets an acted server [F003]', () => announceSubmission({ database: 'acted' }));
test('forks [F004]', async () => {
  await once(fork(CHILD, ['forked']), 'exit');
});
test('starts a worker [F005]', async () => {
  await once(new Worker(CHILD, { argv: ['threaded'] }), 'exit');
});
test('fails [F006]', () => {
  announceSubmission({ database: 'one', version: '1' });
  throw new TypeError('on purpose');
});
test('is skipped [F007]', { skip: true }, () => {});

describe('a suite [F008]', () => {
  test('inner', () => announceSubmission({ database: 'inner', version: '1' }));
});
describe('a suite with something skipped [F009]', () => {
  test('inner', () => announceSubmission({ database: 'inner', version: '1' }));
  test('not run', { skip: true }, () => {});
});

test('side by side [F010]', { concurrency: true }, async (t) => {
  let release = (): void => {};
  const both = new Promise<void>((resolve) => {
    release = resolve;
  });
  await Promise.all([
    t.test('left [F011]', () => both),
    t.test('right [F012]', async () => {
      announceSubmission({ database: 'shared', version: '1' });
      release();
    }),
  ]);
});
