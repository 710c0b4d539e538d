// Which statements begin and end transactions, seen through blanks and comments, in linear time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { begins, commits, rollsBack, rollsBackAll } from '../../../../src/dialects/postgresql/sql-keyword.ts';

test('the first word is found behind blanks and comments', () => {
  for (const sql of ['commit', ' COMMIT;', '-- x\ncommit', '/* a */ /* b **/ end', 'Commit and chain'])
    assert.ok(commits(sql), sql);
  for (const sql of ['', 'committed', '-- commit', '/* commit */ select 1', '/* open commit', 'select commit'])
    assert.ok(!commits(sql), sql);
  for (const sql of ['begin', 'START TRANSACTION read only', '\n\tbegin;']) assert.ok(begins(sql), sql);
  for (const sql of ['rollback', 'ABORT', 'rollback to savepoint a']) assert.ok(rollsBack(sql), sql);
  assert.deepEqual(
    [
      'rollback',
      'rollback work',
      'rollback and chain',
      'rollback to a',
      'ROLLBACK TRANSACTION TO SAVEPOINT a',
      'abort',
    ].map(rollsBackAll),
    [true, true, true, false, false, true],
  );
});

test('long comments take no longer than they are long', () => {
  const start = performance.now();
  for (const sql of [
    `${'/* * */ '.repeat(20_000)}commit`,
    `/*${'*'.repeat(200_000)}`,
    `${'-- x\n'.repeat(50_000)}commit`,
    ' '.repeat(200_000),
  ])
    commits(sql);
  assert.ok(performance.now() - start < 300);
});
