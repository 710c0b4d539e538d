import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import pg from 'pg';
import { parameterValue } from '../../../src/pg-pool/parameter-values.ts';
import { Interval, readArray, readBytes, readDate } from '../../../src/pg-pool/text-literals.ts';
import { types } from '../../../src/pg-pool/text-types.ts';

const theirs = (oid: number, text: string): unknown =>
  (pg.types.getTypeParser(oid) as (value: string) => unknown)(text);

describe('values as the server prints them', () => {
  it('dates are what pg makes of them, in any year and zone', () => {
    const digits = (value: number, length: number): string => String(value).padStart(length, '0');
    const day = fc
      .tuple(fc.integer({ min: 1, max: 12_000 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 28 }))
      .map(([year, month, date]) => `${digits(year, 4)}-${digits(month, 2)}-${digits(date, 2)}`);
    const time = fc
      .tuple(fc.nat(23), fc.nat(59), fc.nat(59), fc.constantFrom('', '.5', '.123', '.123456'))
      .map(([hour, minute, second, rest]) => ` ${digits(hour, 2)}:${digits(minute, 2)}:${digits(second, 2)}${rest}`);
    const zone = fc.constantFrom('', '+00', '-08', '+05:30', '+00:53:28');
    fc.assert(
      fc.property(day, fc.option(fc.tuple(time, zone)), fc.constantFrom('', ' BC'), (date, rest, era) => {
        const text = `${date}${rest?.join('') ?? ''}${era}`;
        assert.deepEqual(readDate(text), theirs(1184, text), text);
      }),
      { numRuns: 2_000 },
    );
    assert.equal(readDate('no date'), null);
  });

  it('arrays come back as they went, of any depth', () => {
    const leaf = fc.option(fc.string());
    fc.assert(
      fc.property(fc.array(fc.array(leaf, { minLength: 1, maxLength: 3 }), { maxLength: 4 }), (value) => {
        assert.deepEqual(
          readArray(String(parameterValue(value)), (text) => text),
          value,
        );
      }),
    );
  });

  it('bytes in the old spelling', () => {
    const text = 'a\\\\b\\000\\377';
    assert.deepEqual(readBytes(text), theirs(17, text));
  });

  it('intervals', () => {
    for (const text of ['00:00:00', '1 year -2 mons +3 days -04:05:06.789', '-00:00:00.000001', '1 mon']) {
      const other = theirs(1186, text) as Interval;
      assert.deepEqual(new Map(Object.entries(new Interval(text))), new Map(Object.entries(other)), text);
      assert.equal(new Interval(text).toPostgres(), other.toPostgres());
    }
    assert.equal(new Interval('1 year 2 mons -3 days 04:05:06.5').toISOString(), 'P1Y2M-3DT4H5M6.5S');
  });

  it('a type parser is for text', () => {
    assert.throws(() => types.setTypeParser(20, 'binary', Number), { code: 'ATH_USAGE' });
  });
});

it('a parameter that refers to itself is refused', () => {
  const value = { toPostgres: (): unknown => value };
  assert.throws(() => parameterValue(value), { code: 'ATH_USAGE' });
});
