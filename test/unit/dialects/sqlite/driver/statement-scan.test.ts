import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scanCommand } from '../../../../../src/dialects/sqlite/driver/statement-scan.ts';
import { UsageError } from '../../../../../src/errors/index.ts';

test('the command is found behind comments, brackets and common table expressions', () => {
  const expected: Record<string, string> = {
    'select 1': 'SELECT',
    '  -- a; b\n /* ; */ Insert into t values (1)': 'INSERT',
    'with a as (select 1), b(x) as (select 2) delete from t': 'DELETE',
    'WITH RECURSIVE a AS (SELECT 1) SELECT * FROM a': 'SELECT',
    end: 'COMMIT',
    'rollback to savepoint a': 'ROLLBACK TO',
    'rollback transaction to a': 'ROLLBACK TO',
    'ROLLBACK;': 'ROLLBACK',
    '': '',
  };
  for (const [sql, command] of Object.entries(expected)) assert.equal(scanCommand(sql), command, sql);
});

test('a second statement is refused, a semicolon inside text is none', () => {
  for (const sql of ['select 1; select 2', 'select 1;;drop table t', "select ''; delete from t"]) {
    assert.throws(() => scanCommand(sql), UsageError, sql);
  }
  for (const sql of [
    "select ';x'",
    'select ";x"',
    'select `;x`',
    'select [;x]',
    'select 1; -- end',
    'select 1 /* ; */;',
  ]) {
    scanCommand(sql);
  }
});

test('a trigger keeps the semicolons of its body', () => {
  assert.equal(scanCommand('create temp trigger a after insert on t begin delete from u; end;'), 'CREATE');
});

test('a NUL character is refused', () => {
  assert.throws(() => scanCommand('select 1\0'), UsageError);
});

test('hostile text is scanned in linear time', () => {
  const started = performance.now();
  scanCommand(`select ${"'".repeat(100_001)}`);
  scanCommand(`select ${'('.repeat(100_000)}`);
  scanCommand(`select ${'/*'.repeat(50_000)}`);
  assert.ok(performance.now() - started < 1000);
});
