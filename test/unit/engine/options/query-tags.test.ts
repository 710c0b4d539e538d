import assert from 'node:assert/strict';
import { it } from 'node:test';
import { commentOf, joinedTags, tagged } from '../../../../src/engine/options/query-tags.ts';
import { layered } from '../../../../src/engine/options/execution-options.ts';
import { plainStatement } from '../../../../src/engine/transaction-texts.ts';
import { UsageError } from '../../../../src/errors/index.ts';

it('a comment has its names in order, and nothing in it ends it', () => {
  assert.equal(
    commentOf({ route: '/users/:id', app: 'a b', n: 1, gone: undefined }),
    "/*app='a%20b',n='1',route='%2Fusers%2F%3Aid'*/",
  );
  const hostile = commentOf({ "*/ drop table x; --'": "'*/\n$1 ? \0 \u{1F600} \uD800" });
  assert.match(hostile, /^\/\*[\w.%~-]+='[\w.%~-]+'\*\/$/);
  assert.equal(commentOf({}), '');
});

it('the same text with the same tags is the same object; tags made for each statement are not prepared', () => {
  const batch = [plainStatement('select 1', true)];
  const [first] = tagged(batch, { a: 1 });
  const [second] = tagged(batch, { a: 1 });
  assert.equal(first?.text, second?.text);
  assert.equal(first?.text.prepare, true);
  assert.equal(tagged(batch, {}), batch);
  const [passing] = tagged(batch, () => ({ a: 1 }));
  assert.equal(passing?.text.prepare, false);
  for (let at = 0; at < 100; at += 1) tagged(batch, { a: at });
  assert.notEqual(tagged(batch, { a: 1 })[0]?.text, first?.text, 'only so many are kept');
  const joined = joinedTags({ a: 1, b: 1 }, () => ({ b: 2 }));
  assert.deepEqual(typeof joined === 'function' ? joined() : joined, { a: 1, b: 2 });
});

it('layers: what says nothing covers nothing', () => {
  const below = layered({}, { isolation: 'serializable', tags: { a: 1 } });
  assert.equal(layered(below, {}), below);
  assert.deepEqual(layered(below, { isolation: undefined, readOnly: true, tags: { b: 2 } }), {
    isolation: 'serializable',
    readOnly: true,
    tags: { a: 1, b: 2 },
  });
  assert.throws(() => layered({}, { isolationLevel: 'serializable' } as never), UsageError);
});
