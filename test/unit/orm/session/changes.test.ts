// Which entities a flush looks at, without a database.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { declarativeBase } from '../../../../src/orm/mapping/declarative-base.ts';
import type { Mapper } from '../../../../src/orm/mapping/mapper.ts';
import { EntityReader } from '../../../../src/orm/session/entity-reader.ts';
import { UnitOfWork } from '../../../../src/orm/session/unit-of-work.ts';
import { integer, text } from '../../../../src/schema/columns.ts';
import { META } from '../../../../src/sql/phantom.ts';

class Base extends declarativeBase() {}
class Apple extends Base.table('apples', { id: integer().primaryKey(), name: text() }) {}
class Pear extends Base.table('pears', { id: integer().primaryKey(), name: text() }) {}
const mapperOf = (entityClass: object): Mapper => (entityClass as { readonly [META]: Mapper })[META];

interface Fruit {
  name: string;
}

function read(unit: UnitOfWork, entityClass: object, id: number, readOnly = false): Fruit {
  const frame = unit.frame ?? unit.push();
  const reader = new EntityReader(
    unit,
    { mapper: mapperOf(entityClass), start: 0, frame },
    { overwrite: 'stale', readOnly },
  );
  return reader.read([id, `fruit ${id}`]) as Fruit;
}

/** Counts how often a column of an entity is looked at. */
function watch(entity: Fruit): () => number {
  let looks = 0;
  const { name } = entity;
  Object.defineProperty(entity, 'name', { enumerable: true, configurable: true, get: () => (looks++, name) });
  return () => looks;
}

describe('a look for changes', () => {
  it('goes over the classes it is asked for, and over no entity that is read-only', () => {
    const unit = new UnitOfWork(() => Promise.resolve());
    const apple = watch(read(unit, Apple, 1));
    const pear = watch(read(unit, Pear, 1));
    const free = watch(read(unit, Apple, 2, true));
    assert.equal(unit.hasChanges(new Set([mapperOf(Apple)])), false);
    assert.deepEqual([apple(), pear(), free()], [1, 0, 0]);
    assert.equal(unit.hasChanges(undefined), false);
    assert.deepEqual([apple(), pear(), free()], [2, 1, 0]);
  });
  it('finds what was changed, in load order, also where a property was deleted', () => {
    const unit = new UnitOfWork(() => Promise.resolve());
    const apples = [1, 2, 3, 4].map((id) => read(unit, Apple, id));
    for (const at of [3, 1]) (apples[at] as Fruit).name = 'changed';
    assert.deepEqual(
      unit.changed().map(({ entity }) => apples.indexOf(entity as Fruit)),
      [1, 3],
    );
    Reflect.deleteProperty(apples[0] as object, 'name');
    assert.deepEqual(new Set(unit.changed().map(({ entity }) => apples.indexOf(entity as Fruit))), new Set([1, 3]));
    unit.expunge(apples[1]);
    assert.deepEqual(
      unit.changed().map(({ entity }) => apples.indexOf(entity as Fruit)),
      [3],
    );
  });
  it('keeps entities that nobody else holds: their changes would go with them', () => {
    const unit = new UnitOfWork(() => Promise.resolve());
    for (let id = 0; id < 1000; id++) read(unit, Apple, id).name = 'changed';
    assert.equal(unit.changed().length, 1000);
    assert.equal(unit.store(mapperOf(Apple)).size, 1000);
    unit.releaseAll();
    assert.equal(unit.changed().length, 0);
  });
});
