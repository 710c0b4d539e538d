// Every wire kind, both ways, on a real server: the first run goes as text, later ones in the cheapest format, and
// both must give the same. Values that have no exact form are refused by name.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { DriverConnection, Scalar, WireKind } from '../../src/driver/driver.ts';
import { DataError } from '../../src/errors/index.ts';
import { startPostgres, type TestServer } from '../servers.ts';
import { HELD, REFUSED, UNSENDABLE } from '../suite/wire-values.ts';
import { one, open, run } from './postgresql-driver-kit.ts';

let server: TestServer;
let connection: DriverConnection;
before(async () => {
  server = await startPostgres();
  connection = await open(server.url);
});
after(async () => {
  await connection.close();
  await server.stop();
});

describe('a value comes back as it went, in text and in binary', () => {
  for (const [type, kind, values] of HELD) {
    test(`${type} as ${kind}`, async () => {
      const sql = `select $1::${type}, '${kind}'`;
      for (const value of values) {
        const options = { kinds: [kind], results: [kind, 'text' as const] };
        const unprepared = await one(connection, sql, [value], { ...options, prepare: false });
        const prepared = await one(connection, sql, [value], options);
        const again = await one(connection, sql, [value], options);
        for (const got of [unprepared, prepared, again]) assert.deepEqual(got, value);
      }
    });
  }

  test('bytes are of their own memory', async () => {
    const sql = `select '\\x0102'::bytea`;
    for (let i = 0; i < 3; i++) {
      const value = (await one(connection, sql)) as Uint8Array;
      assert.equal(value.buffer.byteLength, 2);
      assert.equal(Object.getPrototypeOf(value), Uint8Array.prototype);
    }
  });

  test('without a kind each type has its own form', async () => {
    const sql = `select 1::int2, 2::int4, 3::oid, 4::int8, 1.5::float4, 0.1::float4, 2.5::float8, true, '\\x00'::bytea, '{"a":1}'::jsonb, 1.50::numeric,
      '2024-01-02 03:04:05.123456+00'::timestamptz at time zone 'UTC', array[1,2], null::int4`;
    const expected = [
      1,
      2,
      3,
      4n,
      1.5,
      0.1,
      2.5,
      true,
      new Uint8Array([0]),
      '{"a": 1}',
      '1.50',
      '2024-01-02 03:04:05.123456',
      '{1,2}',
      null,
    ];
    for (let i = 0; i < 3; i++) assert.deepEqual((await run(connection, sql)).rows[0], expected);
  });

  test('an array with bounds of its own, and one of a type made by users', async () => {
    await run(connection, `create type mood as enum ('sad', 'a "b"', 'c,d')`);
    for (let i = 0; i < 2; i++) {
      assert.deepEqual(await one(connection, `select '[0:1]={7,8}'::int4[]`, [], { results: ['integer[]'] }), [7, 8]);
      const moods = ['sad', 'a "b"', 'c,d', null];
      assert.deepEqual(
        await one(connection, 'select $1::mood[]', [moods], { kinds: ['text[]'], results: ['text[]'] }),
        moods,
      );
    }
  });

  test('a column without rows, and more columns than code is generated for', async () => {
    for (let i = 0; i < 3; i++) {
      const answer = await run(connection, 'select 1 as a, 2 as b where false');
      assert.deepEqual(
        answer.fields?.map(({ name }) => name),
        ['a', 'b'],
      );
      assert.deepEqual([answer.rows, answer.command, answer.count], [[], 'SELECT', 0]);
      const many = Array.from({ length: 300 }, (_, n) => n);
      assert.deepEqual((await run(connection, `select ${many.join(', ')}`)).rows[0], many);
    }
  });

  test('names that are special in JavaScript are only names', async () => {
    const { rows, fields } = await run(connection, `select 1 as "__proto__", 2 as "constructor", 3 as "');throw 1;//"`);
    assert.deepEqual(rows, [[1, 2, 3]]);
    assert.deepEqual(
      fields?.map(({ name }) => name),
      ['__proto__', 'constructor', "');throw 1;//"],
    );
  });
});

describe('a value without an exact form is refused by its column, and the connection goes on', () => {
  for (const [what, expression, kind] of REFUSED) {
    test(what, async () => {
      const sql = `select 1 as fine, ${expression} as "the column", '${kind}'`;
      for (let i = 0; i < 3; i++) {
        await assert.rejects(run(connection, sql, [], { results: ['integer', kind, 'text'] }), (error) => {
          assert.ok(error instanceof DataError);
          assert.equal(error.column, 'the column');
          assert.match(error.message, /^column "the column": /);
          assert.equal(error.statementIndex, 0);
          return true;
        });
        assert.equal(connection.status, 'idle');
      }
      assert.equal(
        await one(connection, `select case when false then ${expression} end`, [], { results: [kind] }),
        null,
      );
    });
  }
});

describe('a parameter that cannot be sent is refused before anything is sent', () => {
  for (const [title, value, kind] of UNSENDABLE) {
    test(title, async () => {
      await run(connection, 'drop table if exists untouched');
      await run(connection, 'create table untouched (v text)');
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
      for (let i = 0; i < 2; i++) {
        await assert.rejects(connection.submit(batch, { row: () => {} }), (error) => {
          assert.ok(error instanceof DataError, String(error));
          assert.match(error.message, /^parameter \$2 /);
          assert.equal(error.outcome, 'not-sent');
          assert.equal(error.statementIndex, 1);
          assert.ok(!`${error.message}${JSON.stringify(error)}`.includes('SECRET'));
          return true;
        });
      }
      assert.equal(await one(connection, 'select count(*) from untouched'), 0n);
    });
  }

  test('65535 parameters pass, 65536 are refused', async () => {
    const list = (count: number) => Array.from({ length: count }, (_, i) => `($${i + 1}::int4)`).join(',');
    const values = (count: number) => Array.from({ length: count }, () => 1);
    assert.equal(
      await one(connection, `select sum(x) from (values ${list(65535)}) v (x)`, values(65535), { prepare: false }),
      65535n,
    );
    await assert.rejects(
      run(connection, `select sum(x) from (values ${list(65536)}) v (x)`, values(65536), { prepare: false }),
      DataError,
    );
    assert.equal(await one(connection, 'select 1'), 1);
  });

  test('another number of parameters than the statement takes', async () => {
    await run(connection, 'select $1::int4 as counted', [1]);
    await assert.rejects(run(connection, 'select $1::int4 as counted', [1, 2]), { code: 'ATH_USAGE' });
    await assert.rejects(run(connection, 'select $1::int4 as counted', []), { code: 'ATH_USAGE' });
  });
});

describe('properties', () => {
  const roundTrip = async (type: string, kind: WireKind, value: Scalar): Promise<void> => {
    const got = await one(connection, `select $1::${type}`, [value], { kinds: [kind], results: [kind] });
    assert.deepEqual(got, value);
  };
  const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0'));
  const moment = fc.integer({ min: -210866803200000, max: 8.64e15 });
  const cases: readonly (readonly [string, WireKind, fc.Arbitrary<Scalar>])[] = [
    ['int4', 'integer', fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })],
    ['int8', 'bigint', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
    ['int8', 'integer', fc.maxSafeInteger()],
    ['numeric', 'bigint', fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n })],
    ['float8', 'float', fc.double()],
    ['numeric', 'float', fc.double({ noDefaultInfinity: true, noNaN: true }).map((value) => (value === 0 ? 0 : value))],
    ['text', 'text', text],
    ['bytea', 'bytes', fc.uint8Array({ maxLength: 3000 }).map((value) => new Uint8Array(value))],
    ['timestamptz', 'epoch', moment],
    ['text[]', 'text[]', fc.array(fc.option(text))],
    ['timestamptz[]', 'epoch[]', fc.array(fc.option(moment))],
    ['numeric[]', 'text[]', fc.array(fc.option(fc.bigInt().map(String)))],
    ['bytea[]', 'bytes[]', fc.array(fc.uint8Array().map((value) => new Uint8Array(value)))],
    ['json', 'json', fc.json()],
  ];
  for (const [type, kind, values] of cases) {
    test(`any ${kind} survives ${type}`, async () => {
      await fc.assert(
        fc.asyncProperty(values, (value) => roundTrip(type, kind, value)),
        { numRuns: 150 },
      );
    });
  }

  test('the same moments in every time zone, as text too', async () => {
    for (const zone of ['UTC', 'Pacific/Apia', 'America/St_Johns', 'Europe/Amsterdam', 'Asia/Kathmandu']) {
      await run(connection, `set time zone '${zone}'`, [], { prepare: false });
      await fc.assert(
        fc.asyncProperty(moment, async (value) => {
          assert.equal(
            await one(connection, 'select $1::timestamptz', [value], {
              kinds: ['epoch'],
              results: ['epoch'],
              prepare: false,
            }),
            value,
          );
        }),
        { numRuns: 60 },
      );
    }
    await run(connection, 'reset time zone', [], { prepare: false });
  });
});
