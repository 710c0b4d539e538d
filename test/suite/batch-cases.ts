// submit: what is told to the sink, in which order, and what stands after a failure.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommitRolledBackError, ProgrammingError, UniqueViolationError } from '../../src/errors/index.ts';
import { statement } from '../integration/postgresql-driver-kit.ts';
import type { Bench } from './contract-bench.ts';

export function batchCases(bench: Bench): void {
  const fresh = async (name: string): Promise<void> => {
    await bench.submit([
      statement(`drop table if exists ${name}`, [], false),
      statement(`create table ${name} (id int4 primary key, v text)`, [], false),
    ]);
  };
  const count = (name: string) => bench.one(`select count(*)::int4 from ${name}`, [], { prepare: false });

  test('each statement tells its fields, its rows and its end, in order', async () => {
    const events: unknown[] = [];
    await bench.connection.submit(
      [
        statement('select 1 as a, $1::text as b', ['x']),
        statement('select 2 as c where false'),
        statement('', [], false),
        statement('select g from generate_series(1, 2) g'),
      ],
      {
        fields: (index, fields) => events.push(['fields', index, fields.map(({ name }) => name)]),
        row: (index, row) => events.push(['row', index, row]),
        done: (index, { command, count: rows }) => events.push(['done', index, command, rows]),
      },
    );
    assert.deepEqual(events, [
      ['fields', 0, ['a', 'b']],
      ['row', 0, [1, 'x']],
      ['done', 0, 'SELECT', 1],
      ['fields', 1, ['c']],
      ['done', 1, 'SELECT', 0],
      ['done', 2, '', undefined],
      ['fields', 3, ['g']],
      ['row', 3, [1]],
      ['row', 3, [2]],
      ['done', 3, 'SELECT', 2],
    ]);
  });

  test('several parameter sets of one text are counted together', async () => {
    await fresh('sets');
    const text = { sql: 'insert into sets values ($1, $2)', params: [], results: undefined, prepare: true };
    const done: unknown[] = [];
    for (let i = 0; i < 2; i++) {
      const sets = [1, 2, 3].map((n) => [n + i * 10, `v${n}`]);
      await bench.connection.submit([{ text, params: [], sets }], {
        row: () => {},
        done: (_index, completion) => done.push(completion),
      });
    }
    assert.deepEqual(done, [
      { command: 'INSERT', count: 3 },
      { command: 'INSERT', count: 3 },
    ]);
    await assert.rejects(bench.connection.submit([{ text, params: [], sets: [] }], { row: () => {} }), {
      outcome: 'not-sent',
    });
  });

  test('the first failure ends the batch and names its statement; nothing of it stands', async () => {
    await fresh('failing');
    for (let i = 0; i < 2; i++) {
      await assert.rejects(
        bench.submit([
          statement(`insert into failing values (1, 'a')`),
          statement(`insert into failing values (1, 'b')`),
          statement(`insert into failing values (2, 'c')`),
        ]),
        (error) => {
          assert.ok(error instanceof UniqueViolationError, String(error));
          assert.deepEqual(
            [error.statementIndex, error.table, error.constraint, error.sqlState, error.outcome],
            [1, 'failing', 'failing_pkey', '23505', 'failed'],
          );
          return true;
        },
      );
      assert.equal(await count('failing'), 0);
    }
    assert.equal(bench.connection.status, 'idle');
  });

  test('inside a transaction a failure is held until the rollback, and COMMIT does not pretend', async () => {
    await fresh('held');
    await bench.submit([statement('begin'), statement(`insert into held values (1, 'a')`)]);
    assert.equal(bench.connection.status, 'transaction');
    await assert.rejects(bench.run('select no_such_column'), ProgrammingError);
    assert.equal(bench.connection.status, 'failed');
    await assert.rejects(bench.run('select 1'), { sqlState: '25P02' });
    await assert.rejects(bench.run('commit'), CommitRolledBackError);
    assert.equal(bench.connection.status, 'idle');
    assert.equal(await count('held'), 0);
  });

  test('the status follows BEGIN, SAVEPOINT, an error, ROLLBACK TO and COMMIT', async () => {
    const seen: string[] = [];
    for (const sql of ['begin', 'savepoint s', 'select 1/0', 'rollback to s', 'select 1', 'commit']) {
      await bench.run(sql, [], { prepare: false }).catch(() => {});
      seen.push(bench.connection.status);
    }
    assert.deepEqual(seen, ['transaction', 'transaction', 'failed', 'transaction', 'transaction', 'idle']);
  });

  test('calls that overlap are answered in order, each with its own error', async () => {
    const order: number[] = [];
    const calls = Array.from({ length: 30 }, (_, i) => {
      const item = i % 5 === 3 ? statement('select missing_column') : statement('select $1::int4', [i]);
      let got: unknown;
      const sink = {
        row: (_index: number, [value]: readonly unknown[]): void => {
          got = value;
        },
      };
      return bench.connection.submit([item], sink).then(
        () => {
          order.push(i);
          return got;
        },
        (error: unknown) => {
          order.push(i);
          assert.ok(error instanceof ProgrammingError);
          return 'refused';
        },
      );
    });
    const answers = await Promise.all(calls);
    assert.deepEqual(order, [...answers.keys()]);
    answers.forEach((answer, i) => assert.equal(answer, i % 5 === 3 ? 'refused' : i));
  });

  test('a statement is found again, however often and by whichever text', async () => {
    for (let i = 0; i < 5; i++) {
      for (const prepare of [true, false]) {
        assert.equal(await bench.one('select $1::int4 + 1', [i], { prepare }), i + 1);
        assert.equal(await bench.one(`select 'n${i}'`, [], { prepare }), `n${i}`);
      }
    }
  });

  test('[T43] what changes under a prepared statement is met outside a transaction, and told inside one', async () => {
    await fresh('changing');
    await bench.run(`insert into changing values (1, 'a')`, [], { prepare: false });
    const all = async () => (await bench.run('select * from changing where id = $1', [1])).rows;
    for (let i = 0; i < 2; i++) assert.deepEqual(await all(), [[1, 'a']]);
    await bench.run('alter table changing add column w int4 default 7', [], { prepare: false });
    assert.deepEqual(await all(), [[1, 'a', 7]]);
    await bench.run('alter table changing alter column w type text using w::text', [], { prepare: false });
    assert.deepEqual(await all(), [[1, 'a', '7']]);
    await bench.run('begin');
    await bench.run('alter table changing drop column w', [], { prepare: false });
    // The server may have forgotten the statement with the change of session behind a pooler: then there is no error.
    await all().then(
      (rows) => assert.deepEqual(rows, [[1, 'a']]),
      (error: unknown) => assert.ok(error instanceof ProgrammingError),
    );
    await bench.run('rollback', [], { prepare: false }).catch(() => {});
    assert.deepEqual(await all(), [[1, 'a', '7']]);
  });

  test('an empty batch sends nothing', async () => {
    await bench.connection.submit([], { row: () => assert.fail() });
    assert.equal(bench.connection.status, 'idle');
  });

  test('thousands of rows and a thousand statements come whole', async () => {
    const { rows } = await bench.run(`select g, repeat('x', g % 100) from generate_series(1, 20000) g`);
    assert.equal(rows.length, 20_000);
    assert.deepEqual(rows[12_344], [12_345, 'x'.repeat(45)]);
    const got: unknown[] = [];
    await bench.connection.submit(
      Array.from({ length: 1000 }, (_, i) => statement('select $1::int4', [i])),
      { row: (index, row) => got.push([index, row[0]]) },
    );
    assert.deepEqual(
      got,
      Array.from({ length: 1000 }, (_, i) => [i, i]),
    );
    const long = 'é'.repeat(1_000_000);
    assert.equal(await bench.one('select $1::text', [long]), long);
  });
}
