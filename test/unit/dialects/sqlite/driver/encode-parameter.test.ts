import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parameterEncoder } from '../../../../../src/dialects/sqlite/driver/encode-parameter.ts';
import type { Scalar, WireKind } from '../../../../../src/driver/driver.ts';
import { DataError, UnsupportedError } from '../../../../../src/errors/index.ts';

test('each kind becomes what SQLite stores', () => {
  const bytes = new Uint8Array([1, 2]);
  const expected: readonly (readonly [WireKind | undefined, Scalar, unknown])[] = [
    ['boolean', true, 1n],
    ['integer', 5, 5n],
    ['bigint', 9007199254740993n, 9007199254740993n],
    ['float', 1, 1],
    ['text', 'a', 'a'],
    ['bytes', bytes, bytes],
    ['epoch', 0, '1970-01-01 00:00:00.000'],
    ['json', '{}', '{}'],
    [undefined, 2, 2n],
    [undefined, 2.5, 2.5],
    [undefined, -0, -0],
    [undefined, false, 0n],
    ['integer[]', [1, null, -2], '[1,null,-2]'],
    ['bigint[]', [9007199254740993n], '[9007199254740993]'],
    ['text[]', ['a"b'], '["a\\"b"]'],
    ['boolean[]', [true], '[1]'],
    ['text', null, null],
  ];
  for (const [kind, value, stored] of expected) assert.deepEqual(parameterEncoder(kind)(value), stored, kind);
});

test('a value that is not of its kind, or that SQLite would change, is refused and not quoted', () => {
  const wrong: readonly (readonly [WireKind | undefined, unknown])[] = [
    ['integer', 2 ** 53],
    ['integer', 1.5],
    ['integer', '4711'],
    ['integer', { $ne: null }],
    ['bigint', 1],
    ['bigint', 2n ** 63n],
    ['float', Number.NaN],
    ['text', 4711],
    ['text', '4711\0'],
    ['text', '4711\ud800'],
    ['bytes', '4711'],
    ['epoch', 1.5],
    ['boolean', 1],
    ['integer[]', 4711],
    ['integer[]', ['4711']],
    ['float[]', [Infinity]],
    [undefined, { toString: () => '4711' }],
    [undefined, undefined],
  ];
  for (const [kind, value] of wrong) {
    assert.throws(
      () => parameterEncoder(kind)(value as Scalar),
      (error) => error instanceof DataError && !error.message.includes('4711'),
      String(kind),
    );
  }
});

test('a whole surrogate pair is text like any other', () => {
  assert.equal(parameterEncoder('text')('😀'), '😀');
});

test('an array of bytes has no form', () => {
  assert.throws(() => parameterEncoder('bytes[]'), UnsupportedError);
});
