// Column types take exactly their own values: what they cannot hold unchanged is refused, without being quoted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DataError, UsageError } from '../../../src/errors/index.ts';
import { arrayType } from '../../../src/types/array-type.ts';
import { BOOLEAN } from '../../../src/types/boolean-type.ts';
import { BYTES } from '../../../src/types/bytes-type.ts';
import type { ColumnType } from '../../../src/types/column-type.ts';
import { customColumnType } from '../../../src/types/custom-type.ts';
import { encodeValue, typeOfValue } from '../../../src/types/encode.ts';
import { JSON_TYPE } from '../../../src/types/json-type.ts';
import { MOMENT, MOMENT_AS_STRING } from '../../../src/types/moment-types.ts';
import { BIGINT, bigintType, COUNT, DOUBLE, INTEGER, numericType } from '../../../src/types/number-types.ts';
import { enumType, TEXT, UUID_TYPE, varcharType } from '../../../src/types/text-types.ts';

const UUID = '0b38fdb0-4c1f-4a5b-8f6d-2e4a5f3b9c11';

const accepted: readonly (readonly [ColumnType, unknown, unknown])[] = [
  [INTEGER, -(2 ** 31), -(2 ** 31)],
  [COUNT, 2 ** 53 - 1, 2 ** 53 - 1],
  [DOUBLE, Number.NaN, Number.NaN],
  [DOUBLE, -0, -0],
  [BIGINT, -(2n ** 63n), -(2n ** 63n)],
  [bigintType('number'), 5, 5],
  [bigintType('string'), '-12', '-12'],
  [numericType(12, 2), '-1.50', '-1.50'],
  [numericType(12, 2), '1.2300', '1.2300'],
  [numericType(12, 2), '125e-2', '125e-2'],
  [numericType(12), '12.0', '12.0'],
  [numericType(), '1.23456789', '1.23456789'],
  [TEXT, 'é\u{1F600}', 'é\u{1F600}'],
  [varcharType(3), 'abc', 'abc'],
  [UUID_TYPE, UUID.toUpperCase(), UUID],
  [enumType('e', ['a', 'b']), 'b', 'b'],
  [BOOLEAN, false, false],
  [MOMENT, new Date(0), 0],
  [MOMENT_AS_STRING, '2024-01-01 00:00:00.123456+00', '2024-01-01 00:00:00.123456+00'],
  [JSON_TYPE, { a: [1, null] }, '{"a":[1,null]}'],
  [arrayType(INTEGER), [1, null], [1, null]],
  [arrayType(MOMENT), [new Date(5)], [5]],
];

const lone = '\ud800';
const refused: readonly (readonly [ColumnType, unknown])[] = [
  ...[2 ** 31, -(2 ** 31) - 1, 1.5, Number.NaN, Infinity, '1', 1n, true, {}, [], [1]].map((v) => [INTEGER, v] as const),
  ...[2 ** 53, 1.5, '5'].map((v) => [COUNT, v] as const),
  ...['1.5', 1n, {}].map((v) => [DOUBLE, v] as const),
  ...[2n ** 63n, 5, '5'].map((v) => [BIGINT, v] as const),
  ...['1.5', 5, '1e3', ''].map((v) => [bigintType('string'), v] as const),
  ...['1.005', '1e-3'].map((v) => [numericType(12, 2), v] as const),
  [numericType(12), '1.5'] as const,
  ...[1.5, '1,5', '', 'abc', '1; drop'].map((v) => [numericType(), v] as const),
  ...[1, {}, ['a'], `a\0b`, lone, `${lone}x`, { toString: () => 'a' }].map((v) => [TEXT, v] as const),
  ...['c', '', 1, {}].map((v) => [enumType('e', ['a']), v] as const),
  ...['not a uuid', `${UUID}0`, 1].map((v) => [UUID_TYPE, v] as const),
  ...[1, 0, 'true', {}].map((v) => [BOOLEAN, v] as const),
  ...[new Date(Number.NaN), 0, '2024-01-01', {}].map((v) => [MOMENT, v] as const),
  ...[1n, Symbol('s'), () => 1, { a: 'x\0' }, { [`k${lone}`]: 1 }, { a: [lone] }].map((v) => [JSON_TYPE, v] as const),
  ...['bytes', [1, 2], {}].map((v) => [BYTES, v] as const),
  ...[{}, 'a', [1.5]].map((v) => [arrayType(INTEGER), v] as const),
];

test('each type takes its own values', () => {
  for (const [type, value, wire] of accepted) assert.deepEqual(encodeValue(type, value), wire, type.key);
});

test('each type refuses all others, naming the column and never the value [B12] [B15]', () => {
  for (const [type, value] of refused) {
    assert.throws(
      () => encodeValue(type, value, { table: 'users', column: 'age' }),
      (error: unknown) => {
        assert.ok(error instanceof DataError, `${type.key} ${String(value?.constructor)}`);
        assert.equal(error.column, 'age');
        assert.equal(error.outcome, 'not-sent');
        assert.match(error.message, /^users\.age: Expected/);
        return true;
      },
      type.key,
    );
  }
  assert.throws(
    () => encodeValue(INTEGER, 'topsecret'),
    (error: unknown) => error instanceof DataError && !error.message.includes('topsecret'),
  );
});

test('null passes every type, undefined none', () => {
  for (const [type] of accepted) {
    assert.equal(encodeValue(type, null), null);
    assert.throws(() => encodeValue(type, undefined), DataError);
  }
});

test('JSON and arrays are frozen when read, and a circle is refused when written', () => {
  const value = JSON_TYPE.decode?.('{"a":{"b":[1]},"__proto__":{"polluted":true}}') as { a: { b: number[] } };
  assert.ok(Object.isFrozen(value) && Object.isFrozen(value.a) && Object.isFrozen(value.a.b));
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.ok(Object.isFrozen(arrayType(TEXT).decode?.(['a'])));
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  assert.throws(() => encodeValue(JSON_TYPE, circle), DataError);
});

test('a custom type goes through its codec, and no two are the same type', () => {
  const codec = {
    sql: 'numeric(12,2)',
    encode: (v: { cents: number }) => String(v.cents / 100),
    decode: (s: string) => ({ cents: Number(s) * 100 }),
  };
  const type = customColumnType(codec);
  assert.equal(encodeValue(type, { cents: 150 }), '1.5');
  assert.deepEqual(type.decode?.('1.5'), { cents: 150 });
  assert.notEqual(type.key, customColumnType(codec).key);
  const broken = customColumnType({ sql: 'text', encode: () => ({ toPostgres: () => '1' }), decode: () => 1 });
  assert.throws(() => encodeValue(broken, 1), DataError);
});

test('types with different texts or values have different keys', () => {
  const types = [
    varcharType(1),
    varcharType(2),
    numericType(),
    numericType(1),
    numericType(1, 2),
    enumType('e', ['a', 'b']),
    enumType('e', ['a,b']),
    enumType('f', ['a', 'b']),
    ...accepted.map(([type]) => type),
  ];
  const keys = new Map(
    types.map((type) => [
      `${type.name}|${type.args.join('|')}|${type.wire}|${type.args.length}|${'typeName' in type ? String(type.typeName) : ''}`,
      type.key,
    ]),
  );
  assert.equal(new Set(keys.values()).size, keys.size);
});

test('a value without a type around it has the one it shows', () => {
  assert.equal(typeOfValue('a'), TEXT);
  assert.equal(typeOfValue(1), COUNT);
  assert.equal(typeOfValue(1.5), DOUBLE);
  assert.equal(typeOfValue(-0), DOUBLE);
  assert.equal(typeOfValue(1n), BIGINT);
  assert.equal(typeOfValue(new Date(0)), MOMENT);
  assert.equal(typeOfValue({}), undefined);
  assert.throws(() => arrayType(arrayType(TEXT)), UsageError);
});
