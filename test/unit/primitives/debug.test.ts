import assert from 'node:assert/strict';
import { it } from 'node:test';
import { debugWriter } from '../../../src/primitives/debug.ts';

it('ATHANOR_DEBUG names the topics that are printed, to standard error', () => {
  assert.equal(debugWriter('sql', undefined), undefined);
  assert.equal(debugWriter('sql', 'pool,process'), undefined);
  const write = process.stderr.write;
  const lines: string[] = [];
  process.stderr.write = ((line: string) => lines.push(line) > 0) as typeof write;
  try {
    for (const setting of ['pool', 'sql, pool', '*']) debugWriter('pool', setting)?.('hello');
  } finally {
    process.stderr.write = write;
  }
  assert.deepEqual(
    lines,
    Array.from({ length: 3 }, () => `athanor pool ${process.pid} hello\n`),
  );
});
