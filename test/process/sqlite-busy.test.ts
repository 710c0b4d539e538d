// Several processes write one SQLite file at once.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createSqliteDriver } from '../../src/dialects/sqlite/driver/sqlite-driver.ts';
import { parseSqliteUrl } from '../../src/dialects/sqlite/url.ts';
import type { DriverStatement, Scalar } from '../../src/driver/driver.ts';

const PROGRAM = fileURLToPath(new URL('programs/sqlite-increment.ts', import.meta.url));
const PROCESSES = 4;
const TIMES = 250;

function statement(sql: string): DriverStatement {
  return { text: { sql, params: [], results: undefined, prepare: false }, params: [] };
}

test('four processes that wait for each other lose no increment and none meets BUSY [T48]', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'athanor-busy-'));
  const url = `sqlite://${encodeURI(join(folder, 'counter.db'))}?busyTimeout=60000`;
  const connection = await createSqliteDriver(parseSqliteUrl(url)).connect();
  await connection.submit(['CREATE TABLE counter (value integer)', 'INSERT INTO counter VALUES (0)'].map(statement), {
    row() {},
  });
  // A child that meets an error ends with a code that is not 0.
  const exits = await Promise.all(
    Array.from({ length: PROCESSES }, () => once(fork(PROGRAM, [url, String(TIMES)]), 'exit')),
  );
  assert.deepEqual(
    exits.map(([code]) => Number(code)),
    Array.from({ length: PROCESSES }, () => 0),
  );
  const rows: Scalar[][] = [];
  await connection.submit([statement('SELECT value FROM counter'), statement('PRAGMA integrity_check')], {
    row: (_, row) => rows.push(row),
  });
  assert.deepEqual(rows, [[PROCESSES * TIMES], ['ok']]);
  await connection.close();
  await rm(folder, { recursive: true });
});
