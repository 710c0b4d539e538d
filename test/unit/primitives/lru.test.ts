import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Lru } from '../../../src/primitives/lru.ts';

it('an Lru forgets what was used longest ago, and says so', () => {
  const forgotten: [string, number][] = [];
  const cache = new Lru<string, number>(2, (key, value) => forgotten.push([key, value]));
  cache.set('a', 1);
  cache.set('b', 2);
  assert.equal(cache.get('a'), 1);
  cache.set('c', 3);
  assert.deepEqual(forgotten, [['b', 2]]);
  assert.deepEqual([cache.get('a'), cache.get('b'), cache.get('c')], [1, undefined, 3]);
  cache.set('a', 4);
  assert.equal(cache.size, 2);
  assert.equal(cache.delete('a'), true);
  assert.equal(cache.has('a'), false);
  cache.clear();
  assert.equal(cache.size, 0);
});
