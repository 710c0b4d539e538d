// What a request may bring where a value, an order or a limit was expected: refused, or harmless as a value.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompileError, DataError, NotTransferableError, UsageError } from '../../../src/errors/index.ts';
import { deleteFrom } from '../../../src/sql/statements/delete.ts';
import { func } from '../../../src/sql/functions.ts';
import { insert } from '../../../src/sql/statements/insert.ts';
import { NODE } from '../../../src/sql/phantom.ts';
import { literal } from '../../../src/sql/predicates.ts';
import { sql, statementNode } from '../../../src/sql/raw.ts';
import { select } from '../../../src/sql/statements/select.ts';
import { update } from '../../../src/sql/statements/update.ts';
import { params, pg } from '../dialect/texts.ts';
import { items, users } from './shop.ts';

/** As if it came from a request: no type checker has seen it. */
const given = (value: unknown): never => value as never;

test('order, direction and lock mode are no text [B02]', () => {
  const q = select(users);
  for (const order of ['name', 'name; drop table users', { name: 'desc' }, null, 1, ['asc'], { direction: 'desc' }]) {
    assert.throws(() => q.orderBy(given(order)), UsageError);
    assert.throws(() => func.rank().over({ orderBy: [given(order)] }), UsageError);
  }
  for (const mode of ['UPDATE', 'update; drop', '', null, {}, 'share nowait']) {
    assert.throws(() => q.forUpdate({ mode: given(mode) }), UsageError);
  }
  assert.throws(() => q.forUpdate({ nowait: true, skipLocked: true }), UsageError);
  assert.match(pg(q.forUpdate({ mode: 'key share', skipLocked: true })), / FOR KEY SHARE SKIP LOCKED$/);
  assert.match(pg(q.orderBy(users.c.name.asc().nullsFirst())), / ORDER BY users\.name NULLS FIRST$/);
});

test('limit and offset are whole numbers, bound as parameters [B03]', () => {
  const q = select(users.c.id);
  for (const count of [
    Number.NaN,
    -1,
    1e21,
    1.5,
    Infinity,
    '1',
    '1; drop',
    1n,
    null,
    undefined,
    {},
    [1],
    true,
    { valueOf: () => 1 },
  ]) {
    assert.throws(() => q.limit(given(count)), UsageError);
    assert.throws(() => q.offset(given(count)), UsageError);
  }
  assert.equal(pg(q.limit(0).offset(7)), 'SELECT users.id FROM users LIMIT $1 OFFSET $2');
  assert.deepEqual(params(q.limit(0).offset(7)), [0, 7]);
});

test('an object where a value belongs is refused, whatever it pretends to be [B06]', () => {
  const objects = [
    { $ne: null },
    { toPostgres: () => 'x' },
    [1],
    { toString: () => '1', valueOf: () => 1 },
    { [Symbol.toPrimitive]: () => 1 },
    JSON.parse('{"kind":"raw","strings":["1=1"],"parts":[]}'),
  ];
  for (const object of objects) {
    for (const column of [
      users.c.id,
      users.c.name,
      users.c.createdAt,
      users.c.status,
      items.c.price,
      items.c.sku,
      items.c.photo,
    ]) {
      assert.throws(() => column.eq(given(object)), DataError);
      assert.throws(() => column.in([given(object)]), DataError);
    }
    assert.throws(() => users.c.name.like(given(object)), DataError);
    if (!Array.isArray(object)) assert.throws(() => users.c.id.in(given(object)), UsageError);
    assert.throws(() => insert(users).values({ name: given(object) })[NODE], DataError);
    assert.throws(() => update(users).set({ name: given(object) }), DataError);
    assert.throws(() => select(users).where(given(object)), UsageError);
  }
  // For a JSON column an object is a value.
  assert.deepEqual(params(select(users.c.id).where(users.c.settings.eq(given({ $ne: null })))), ['{"$ne":null}']);
});

test('sql takes a template and nothing else, and a look-alike out of JSON is a value [B07]', () => {
  const tag = sql as unknown as (...given: unknown[]) => unknown;
  for (const text of ['1=1', ['1=1'], { raw: ['1=1'], 0: '1=1', length: 1 }, null, undefined, 1]) {
    assert.throws(() => tag(text), UsageError);
  }
  const real = sql`1 = 1`;
  const forged = JSON.parse(JSON.stringify({ node: (real as unknown as Record<symbol, unknown>)[NODE] })) as {
    node: unknown;
  };
  const text = 'select $1';
  assert.equal(pg(sql`select ${given(forged.node)}`), text);
  assert.equal(pg(sql`select ${"x'; drop table users --"}`), text);
  assert.throws(() => statementNode(forged.node), UsageError);
  assert.throws(() => select(users).where(given(forged.node)), UsageError);
  assert.throws(() => sql`select '\0'`, CompileError);
  assert.throws(() => sql`select '\u{zz}'`, CompileError);
  assert.throws(() => func.call('now(); drop table x --'), UsageError);
});

test('a write without a condition is refused at run time too', () => {
  const changes = [
    update(users).set({ name: 'x' }),
    update(users).set({ name: 'x' }).where(given(undefined)),
    deleteFrom(users),
    deleteFrom(users).where(given(undefined)),
    deleteFrom(users).where(),
  ];
  for (const change of changes) assert.throws(() => statementNode(change), UsageError);
  assert.equal(pg(deleteFrom(users).everyRow()), 'DELETE FROM users');
  assert.throws(() => statementNode(update(users).everyRow()), UsageError);
});

test('unknown and computed columns, null comparisons and empty inserts are named', () => {
  assert.throws(() => statementNode(insert(users).values(given({ name: 'a', isAdmin: true }))), /no column "isAdmin"/);
  assert.throws(
    () => statementNode(insert(users).values(given(JSON.parse('{"name":"a","__proto__":1}')))),
    /no column "__proto__"/,
  );
  assert.throws(() => update(users).set(given({ nope: 1 })), /no column "nope"/);
  assert.throws(() => users.c.email.eq(given(null)), UsageError);
  assert.throws(() => users.c.email.in([given(null)]), UsageError);
  assert.throws(() => insert(users).values([]), UsageError);
  assert.throws(() => users.c.id.eq(given(undefined)), DataError);
  assert.throws(() => literal(given(undefined)), DataError);
});

test('builders stay in their process and thread', () => {
  for (const builder of [select(users), insert(users), update(users), deleteFrom(users)]) {
    assert.throws(() => structuredClone(builder), NotTransferableError);
    assert.throws(() => structuredClone({ deep: [builder] }), NotTransferableError);
    assert.doesNotThrow(() => JSON.stringify({ builder }));
  }
});
