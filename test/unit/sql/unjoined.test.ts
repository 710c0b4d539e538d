// Which queries multiply rows by accident, and which only look like it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  alias,
  and,
  deleteFrom,
  exists,
  insert,
  integer,
  MetaData,
  or,
  select,
  table,
  text,
  update,
} from '../../../src/index.ts';
import type { AnyStatementNode } from '../../../src/sql/expression-node.ts';
import { NODE } from '../../../src/sql/phantom.ts';
import { unjoined } from '../../../src/sql/unjoined.ts';

const metadata = new MetaData();
const A = table('a', metadata, { id: integer().primaryKey(), b: integer(), name: text() });
const B = table('b', metadata, { id: integer().primaryKey(), c: integer() });
const C = table('c', metadata, { id: integer().primaryKey() });

/** The parts, as `a+b, c`. */
function parts(statement: object): string[] {
  const node = (statement as { readonly [NODE]: unknown })[NODE] as AnyStatementNode;
  return unjoined(node).map((one) => one.map((names) => names.join('+')).join(', '));
}

test('tables that nothing joins are found', () => {
  assert.deepEqual(parts(select(A.c.id, B.c.id.label('x'))), ['a, b']);
  assert.deepEqual(parts(select(A.c.id).where(B.c.id.eq(1))), ['a, b']);
  assert.deepEqual(parts(select(A.c.id).where(A.c.b.eq(B.c.id), C.c.id.eq(1))), ['c, a+b']);
  assert.deepEqual(parts(select(A.c.id, alias(A, 'other').c.id.label('x'))), ['a, other']);
});

test('any condition that speaks of both joins them', () => {
  assert.deepEqual(parts(select(A.c.id).where(A.c.b.eq(B.c.id))), []);
  assert.deepEqual(parts(select(A.c.id).where(and(A.c.b.eq(B.c.id), B.c.c.lt(C.c.id)))), []);
  assert.deepEqual(parts(select(A.c.id).where(or(A.c.b.eq(B.c.id), A.c.id.eq(1)))), []);
  assert.deepEqual(parts(select(A.c.id)), []);
});

test('what is joined by name was meant, and holds only what it is joined to', () => {
  assert.deepEqual(parts(select(A.c.id).join(B, B.c.id.eq(A.c.b))), []);
  assert.deepEqual(parts(select(A.c.id).join(B, B.c.id.eq(1))), []);
  assert.deepEqual(parts(select(A.c.id, C.c.id.label('x')).join(B, B.c.id.eq(A.c.b))), ['c, a+b']);
});

test('a query inside a condition joins what it speaks of, and is judged itself', () => {
  const linking = select(C.c.id).where(C.c.id.eq(A.c.id), C.c.id.eq(B.c.id));
  assert.deepEqual(parts(select(A.c.id, B.c.id.label('x')).where(exists(linking))), []);
  const inner = alias(C, 'inner');
  assert.deepEqual(parts(select(A.c.id).where(exists(select(C.c.id).where(C.c.id.eq(A.c.id), inner.c.id.eq(1))))), [
    'c, inner',
  ]);
  assert.deepEqual(parts(select(A.c.id).where(A.c.id.in(select(C.c.id)))), []);
  const sub = select(A.c.id.label('k'), C.c.id.label('l')).subquery('sub');
  assert.deepEqual(parts(select(sub.c.k)), ['a, c']);
  assert.deepEqual(parts(select(A.c.id).union(select(B.c.id).where(C.c.id.eq(1)))), ['b, c']);
});

test('statements that write are judged by what they read', () => {
  assert.deepEqual(parts(update(A).set({ name: 'x' }).where(B.c.id.eq(1))), ['a, b']);
  assert.deepEqual(parts(update(A).set({ name: 'x' }).where(B.c.id.eq(A.c.b))), []);
  assert.deepEqual(parts(deleteFrom(A).where(B.c.id.eq(1))), ['a, b']);
  assert.deepEqual(parts(deleteFrom(A).where(A.c.id.eq(1))), []);
  assert.deepEqual(parts(insert(A).values({ id: 1, b: 1, name: 'x' })), []);
});
