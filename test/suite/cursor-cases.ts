// Cursors: parts of a result, other statements in between, and the end with the transaction.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CancelledError, DataError, ProgrammingError, StateError, UsageError } from '../../src/errors/index.ts';
import type { DriverCursor } from '../../src/driver/cursor.ts';
import type { Scalar, WireKind } from '../../src/driver/driver.ts';
import type { Bench } from './contract-bench.ts';

export function cursorCases(bench: Bench): void {
  function open(sql: string, params: readonly Scalar[] = [], results?: readonly WireKind[]): Promise<DriverCursor> {
    const { connection } = bench;
    assert.ok(connection.openCursor);
    return connection.openCursor({ text: { sql, params: [], results, prepare: true }, params });
  }

  test('it gives its parts in order, and others may run between two of them', async () => {
    await bench.run('begin');
    const cursor = await open('select g, $1::text as t from generate_series(1, 25) g', ['x'], ['bigint', 'text']);
    assert.deepEqual(
      cursor.fields.map(({ name }) => name),
      ['g', 't'],
    );
    const other = await open('select 100 + g from generate_series(1, 3) g');
    const first = await cursor.fetch(10);
    assert.deepEqual([first.rows[0], first.rows.length, first.done], [[1n, 'x'], 10, false]);
    assert.equal(await bench.one('select 1'), 1);
    assert.deepEqual((await other.fetch(5)).rows, [[101], [102], [103]]);
    const [second, third] = await Promise.all([cursor.fetch(10), cursor.fetch(10)]);
    assert.deepEqual([second.rows[0], second.done], [[11n, 'x'], false]);
    assert.deepEqual([third.rows.length, third.rows[4], third.done], [5, [25n, 'x'], true]);
    assert.deepEqual(await cursor.fetch(10), { rows: [], done: true });
    await cursor.close();
    await cursor.close();
    await bench.run('commit');
  });

  test('it needs a transaction', async () => {
    await assert.rejects(open('select 1'), StateError);
    assert.equal(await bench.one('select 1'), 1);
  });

  test('it ends with its transaction, and closing it then is nothing', async () => {
    await bench.run('begin');
    const cursor = await open('select g from generate_series(1, 5) g');
    await cursor.fetch(1);
    await bench.run('rollback');
    await assert.rejects(cursor.fetch(1));
    await cursor.close();
    assert.equal(bench.connection.status, 'idle');
    assert.equal(await bench.one('select 1'), 1);
  });

  test('a statement that fails, now or in a later part, fails the transaction alone', async () => {
    await bench.run('begin');
    await assert.rejects(open('select nothing_there'), ProgrammingError);
    await bench.run('rollback');
    await bench.run('begin');
    const cursor = await open('select 1 / (3 - g) from generate_series(1, 5) g');
    assert.deepEqual((await cursor.fetch(2)).rows, [[0], [1]]);
    await assert.rejects(cursor.fetch(2), DataError);
    assert.equal(bench.connection.status, 'failed');
    await cursor.close();
    await bench.run('rollback');
    assert.equal(await bench.one('select 1'), 1);
  });

  test('a fetch can be cancelled', async () => {
    await bench.run('begin');
    const cursor = await open('select pg_sleep(g) from generate_series(0, 30, 30) g');
    await cursor.fetch(1);
    await assert.rejects(cursor.fetch(1, { signal: AbortSignal.timeout(50) }), CancelledError);
    await bench.run('rollback');
    assert.equal(await bench.one('select 1'), 1);
  });

  test('a statement without rows is no cursor, and no count of rows is none', async () => {
    await bench.run('begin');
    await assert.rejects(open('set local work_mem = 1000'), UsageError);
    const cursor = await open('select 1');
    for (const count of [0, -1, 1.5, Number.NaN]) await assert.rejects(cursor.fetch(count), UsageError);
    assert.deepEqual((await cursor.fetch(2)).rows, [[1]]);
    await bench.run('rollback');
  });
}
