import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readTimestamp, timestampText } from '../../../../../src/dialects/sqlite/driver/timestamp-text.ts';
import { DataError } from '../../../../../src/errors/index.ts';

const FIRST = Date.parse('0000-01-01T00:00:00.000Z');
const LAST = Date.parse('9999-12-31T23:59:59.999Z');

test('a moment is stored as sortable UTC text', () => {
  assert.equal(timestampText(Date.UTC(2024, 1, 29, 23, 59, 58, 7)), '2024-02-29 23:59:58.007');
  assert.equal(timestampText(0), '1970-01-01 00:00:00.000');
});

test('every moment comes back as it was, and text sorts as time does', () => {
  const moment = fc.integer({ min: FIRST, max: LAST });
  fc.assert(
    fc.property(moment, moment, (a, b) => {
      assert.equal(readTimestamp(timestampText(a)), a);
      assert.equal(Math.sign(a - b), timestampText(a) < timestampText(b) ? -1 : a === b ? 0 : 1);
    }),
  );
});

test('what SQLite itself writes is read', () => {
  assert.equal(readTimestamp('2024-03-10 02:30:00'), Date.UTC(2024, 2, 10, 2, 30));
  assert.equal(readTimestamp('2024-03-10 02:30'), Date.UTC(2024, 2, 10, 2, 30));
  assert.equal(readTimestamp('2024-03-10T02:30:00.5Z'), Date.UTC(2024, 2, 10, 2, 30, 0, 500));
  assert.equal(readTimestamp('2024-03-10 02:30:00.120000+00:00'), Date.UTC(2024, 2, 10, 2, 30, 0, 120));
});

test('what is finer than a millisecond, elsewhere than UTC or no date at all is not', () => {
  for (const text of [
    '2024-03-10 02:30:00.0001',
    '2024-03-10 02:30:00+02:00',
    '2024-02-30 00:00:00',
    '2024-03-10',
    'now',
    '',
  ]) {
    assert.equal(readTimestamp(text), undefined, text);
  }
});

test('what the text cannot hold is refused', () => {
  for (const milliseconds of [0.5, Number.NaN, Infinity, LAST + 1, FIRST - 1, 9e15]) {
    assert.throws(() => timestampText(milliseconds), DataError);
  }
});
