import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Baseline, BaselineFormat } from '../../../../src/orm/entity/baseline.ts';
import { arrayType } from '../../../../src/types/array-type.ts';
import { BYTES } from '../../../../src/types/bytes-type.ts';
import type { ColumnType } from '../../../../src/types/column-type.ts';
import { customColumnType } from '../../../../src/types/custom-type.ts';
import { JSON_TYPE } from '../../../../src/types/json-type.ts';
import { MOMENT } from '../../../../src/types/moment-types.ts';
import { BIGINT, DOUBLE, INTEGER } from '../../../../src/types/number-types.ts';
import { TEXT, UUID_TYPE } from '../../../../src/types/text-types.ts';

interface Money {
  cents: number;
}
const MONEY = customColumnType<Money, string>({
  sql: 'numeric',
  encode: ({ cents }) => String(cents),
  decode: (text) => ({ cents: Number(text) }),
});
const UUID = '00000000-0000-4000-8000-000000000001';

/** A wire value, what is done to the value read from it, and whether that is a change. */
const cases: readonly [
  name: string,
  type: ColumnType,
  wire: unknown,
  change: (value: never) => unknown,
  differs: boolean,
][] = [
  ['the same number', INTEGER, 1, (value) => value, false],
  ['another number', INTEGER, 1, () => 2, true],
  ['a number for NULL', INTEGER, null, () => 2, true],
  ['NULL for a number', INTEGER, 1, () => null, true],
  ['NaN that was NaN', DOUBLE, Number.NaN, () => Number.NaN, false],
  ['NaN that was none', DOUBLE, 1, () => Number.NaN, true],
  ['an equal bigint', BIGINT, 2n ** 60n, () => 2n ** 60n, false],
  ['another text', TEXT, 'a', () => 'b', true],
  ['a uuid in capitals', UUID_TYPE, UUID, () => UUID.toUpperCase(), false],
  ['another uuid', UUID_TYPE, UUID, () => UUID.replace('1', '2'), true],
  ['an equal date', MOMENT, 5, () => new Date(5), false],
  ['a date changed in place', MOMENT, 5, (value: Date) => (value.setTime(6), value), true],
  ['no date any more', MOMENT, 5, () => null, true],
  ['a date for NULL', MOMENT, null, () => new Date(5), true],
  ['what is no date', MOMENT, 5, () => 'soon', true],
  ['the same JSON', JSON_TYPE, '{"a": 1}', (value) => value, false],
  ['equal JSON', JSON_TYPE, '{"a": 1}', () => ({ a: 1 }), false],
  ['other JSON', JSON_TYPE, '{"a": 1}', () => ({ a: 2 }), true],
  ['JSON for NULL', JSON_TYPE, null, () => ({}), true],
  ['bytes that are equal', BYTES, new Uint8Array([1, 2]), () => new Uint8Array([1, 2]), false],
  ['bytes changed in place', BYTES, new Uint8Array([1, 2]), (value: Uint8Array) => value.fill(0), true],
  ['a custom value changed in place', MONEY, '5', (value: Money) => Object.assign(value, { cents: 6 }), true],
  ['a custom value left alone', MONEY, '5', (value) => value, false],
  ['an equal array', arrayType(INTEGER), [1, null], () => [1, null], false],
  ['another array', arrayType(INTEGER), [1, null], () => [1, 2], true],
];

describe('a baseline', () => {
  for (const [name, type, wire, change, differs] of cases) {
    it(`sees ${name} as ${differs ? 'a change' : 'none'}`, () => {
      const format = new BaselineFormat([
        { key: 'other', type: TEXT },
        { key: 'value', type },
      ]);
      const baseline = format.take(['x', wire], 0);
      const [other, value] = format.values;
      const entity: Record<string, unknown> = { other, value };
      assert.equal(format.differs(entity, baseline), false);
      entity['value'] = change(value as never);
      assert.equal(format.differs(entity, baseline), differs);
      assert.equal(format.columnDiffers(entity, baseline, 1), differs);
      assert.equal(format.columnDiffers(entity, baseline, 0), false);
      const changed: number[] = [];
      format.walk([{ other, value }, entity], [baseline, baseline], changed);
      // What was changed in place is changed for both.
      assert.equal(changed.includes(1), differs);
    });
  }
  it('gives back the values and wire forms it was taken from', () => {
    const format = new BaselineFormat([
      { key: 'date', type: MOMENT },
      { key: 'json', type: JSON_TYPE },
      { key: 'bytes', type: BYTES },
    ]);
    const row = format.take(['before', 5, '{"a":1}', new Uint8Array([1]), 'behind'], 1);
    assert.deepEqual(
      [0, 1, 2].map((index) => format.value(row, index)),
      [new Date(5), { a: 1 }, new Uint8Array([1])],
    );
    assert.deepEqual(
      [0, 1, 2].map((index) => format.wire(row, index)),
      [5, '{"a":1}', new Uint8Array([1])],
    );
  });
  it('says nothing of columns that were not read', () => {
    const format = new BaselineFormat([
      { key: 'a', type: TEXT },
      { key: 'b', type: TEXT },
    ]);
    const baseline: Baseline = ['x', undefined];
    assert.equal(format.columnDiffers({ a: 'x' }, baseline, 1), false);
    assert.equal(format.columnDiffers({ a: 'x', b: 'set' }, baseline, 1), true);
  });
});

describe('where code must not be generated', () => {
  if (process.execArgv.includes('--disallow-code-generation-from-strings')) return;
  for (const file of ['baseline.test.ts', 'entity.test.ts']) {
    it(`closures pass ${file}`, () => {
      const path = fileURLToPath(new URL(file, import.meta.url));
      const { NODE_TEST_CONTEXT: _, ...env } = process.env;
      const flags = ['--disallow-code-generation-from-strings', '--test-reporter=tap', path];
      assert.match(execFileSync(process.execPath, flags, { env, encoding: 'utf8' }), /^# fail 0$/m);
    });
  }
});
