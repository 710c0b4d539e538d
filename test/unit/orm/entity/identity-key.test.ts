import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { identityKey, identityKeyAt } from '../../../../src/orm/entity/identity-key.ts';

describe('the key of a row', () => {
  it('is its own value where it is one column', () => {
    assert.equal(identityKey([7]), 7);
    assert.equal(identityKey(['7']), '7');
    assert.equal(identityKey([7n]), 7n);
    assert.equal(identityKey([null]), undefined);
    assert.equal(identityKey([new Uint8Array([1, 255])]), identityKey([new Uint8Array([1, 255])]));
    assert.equal(identityKeyAt(['x', 1, 'y'], 1, [1]), 'y');
  });
  it('never equals that of another row where it is several', () => {
    const part = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('1', '2', ':', '') }));
    fc.assert(
      fc.property(fc.tuple(part, part, part), fc.tuple(part, part, part), (a, b) => {
        const same = a.every((value, index) => value === b[index]);
        assert.equal(identityKey(a) === identityKey(b), same);
      }),
      { numRuns: 2000 },
    );
    assert.equal(identityKey([1, null]), undefined);
  });
});
