// Every wire form, both ways; what has none is refused by the side that sees it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DataError, ProgrammingError, UsageError } from '../../src/errors/index.ts';
import type { Bench } from './contract-bench.ts';
import { HELD, REFUSED, UNSENDABLE } from './wire-values.ts';

export function valueCases(bench: Bench): void {
  test('each value comes back as it went, in every form, prepared or not', async () => {
    for (const [type, kind, values] of HELD) {
      const sql = `select $1::${type}, '${kind}'`;
      for (const value of values) {
        const options = { kinds: [kind], results: [kind, 'text' as const] };
        for (const prepare of [false, true, true])
          assert.deepEqual(await bench.one(sql, [value], { ...options, prepare }), value, `${type} as ${kind}`);
      }
    }
  });

  test('without a kind each type has its own form', async () => {
    const sql = `select 1::int2, 4::int8, 1.5::float4, 2.5::float8, true, '\\x00'::bytea, '{"a":1}'::jsonb, 1.50::numeric, array[1,2], null::int4`;
    const expected = [1, 4n, 1.5, 2.5, true, new Uint8Array([0]), '{"a": 1}', '1.50', '{1,2}', null];
    for (let i = 0; i < 3; i++) assert.deepEqual((await bench.run(sql)).rows[0], expected);
  });

  test('bytes are of their own memory', async () => {
    for (let i = 0; i < 3; i++) {
      const value = (await bench.one(`select '\\x0102'::bytea`)) as Uint8Array;
      assert.equal(value.buffer.byteLength, 2);
      assert.equal(Object.getPrototypeOf(value), Uint8Array.prototype);
    }
  });

  test('a value without an exact form is refused by its column, and the connection goes on', async () => {
    for (const [what, expression, kind] of REFUSED) {
      const sql = `select 1 as fine, ${expression} as "the column", '${kind}'`;
      for (let i = 0; i < 2; i++) {
        await assert.rejects(bench.run(sql, [], { results: ['integer', kind, 'text'] }), (error) => {
          assert.ok(error instanceof DataError, what);
          assert.deepEqual([error.column, error.statementIndex], ['the column', 0]);
          return true;
        });
        assert.equal(bench.connection.status, 'idle');
      }
    }
  });

  test('a parameter that cannot be sent is refused before anything is sent', async () => {
    await bench.run('create table if not exists untouched (v text)', [], { prepare: false });
    for (const [title, value, kind] of UNSENDABLE) {
      const batch = [
        {
          text: { sql: `insert into untouched values ('first')`, params: [], results: undefined, prepare: true },
          params: [],
        },
        {
          text: {
            sql: 'select $2::text, $1::text',
            params: ['text', kind] as const,
            results: undefined,
            prepare: true,
          },
          params: ['SECRET', value],
        },
      ];
      await assert.rejects(bench.submit(batch), (error) => {
        assert.ok(error instanceof DataError, title);
        assert.match(error.message, /^parameter \$2 /);
        assert.deepEqual([error.outcome, error.statementIndex], ['not-sent', 1]);
        assert.ok(!`${error.message}${JSON.stringify(error)}`.includes('SECRET'));
        return true;
      });
    }
    assert.equal(await bench.one('select count(*)::int4 from untouched'), 0);
    await assert.rejects(bench.run('select 1 -- \0'), { code: 'ATH_USAGE' });
  });

  test('65535 parameters pass, 65536 are refused', async () => {
    const sql = (count: number) =>
      `select sum(x) from (values ${Array.from({ length: count }, (_, i) => `($${i + 1}::int4)`).join(',')}) v (x)`;
    const values = (count: number) => Array.from({ length: count }, () => 1);
    for (const prepare of [false, true]) assert.equal(await bench.one(sql(65535), values(65535), { prepare }), 65535n);
    await assert.rejects(bench.run(sql(65536), values(65536)), DataError);
    assert.equal(await bench.one('select 1'), 1);
  });

  test('another number of parameters than the statement takes is refused', async () => {
    await bench.run('select $1::int4 as counted', [1]);
    // Where statements have no names only the server can tell.
    for (const values of [[1, 2], []])
      await assert.rejects(
        bench.run('select $1::int4 as counted', values),
        (error) => error instanceof UsageError || error instanceof ProgrammingError,
      );
    assert.equal(await bench.one('select 1'), 1);
  });

  test('errors of data show no value', async () => {
    for (const [sql, params] of [
      [`select 'SECRET'::int4`, []],
      ['select $1::int4', ['SECRET']],
    ] as const) {
      await assert.rejects(bench.run(sql, params), (error) => {
        assert.ok(error instanceof DataError);
        assert.ok(!`${error.message}${JSON.stringify(error)}`.includes('SECRET'));
        return true;
      });
    }
  });
}
