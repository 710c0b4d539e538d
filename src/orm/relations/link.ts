// What happens when one entity is put into a relation of another: the foreign key follows, the other side follows, and
// what is not loaded stays unloaded but remembers.
import { UsageError } from '../../errors/index.ts';
import { stateOf } from '../entity/entity-root.ts';
import type { EntityState, ToManyValue } from '../entity/entity-state.ts';
import type { Relation } from '../mapping/mapper.ts';
import { dropItem, makeList, pushItem } from './entity-list.ts';
import { writeForeignKey } from './foreign-key.ts';

/** `address.user = user`. */
export function setOne(child: EntityState, relation: Relation, value: unknown): void {
  const parent = value === null ? null : related(relation, value);
  const before = child.ones?.get(relation);
  child.ones ??= new Map();
  child.ones.set(relation, parent);
  writeForeignKey(child, relation, parent);
  child.orphaned = parent === null && child.orphaned;
  const inverse = relation.inverse();
  if (inverse !== undefined) {
    if (before !== undefined && before !== null && before !== parent) leave(before, inverse, child);
    if (parent !== null) enter(parent, inverse, child);
  }
  if (parent !== null && relation.cascade.saveUpdate) child.owner?.adopt(parent.entity);
}

/** `user.addresses.add(address)`. */
export function addMany(owner: EntityState, relation: Relation, items: readonly unknown[]): void {
  for (const item of items) {
    const target = related(relation, item);
    if (relation.direction === 'through') linkThrough(owner, relation, target);
    else {
      const inverse = relation.inverse();
      target.orphaned = false;
      if (inverse === undefined) {
        writeForeignKey(target, relation, owner);
        enter(owner, relation, target);
      } else {
        enter(owner, relation, target);
        setOne(target, inverse, owner.entity);
      }
    }
    if (relation.cascade.saveUpdate) owner.owner?.adopt(target.entity);
  }
}

/** `user.addresses.remove(address)`. */
export function removeMany(owner: EntityState, relation: Relation, items: readonly unknown[]): void {
  for (const item of items) {
    const target = related(relation, item);
    if (relation.direction === 'through') unlinkThrough(owner, relation, target);
    else {
      leave(owner, relation, target);
      const inverse = relation.inverse();
      // It may have been given to another parent meanwhile: then there is nothing to undo.
      if (target.ones?.get(inverse ?? relation) === undefined || target.ones.get(inverse ?? relation) === owner) {
        if (inverse !== undefined) setOne(target, inverse, null);
        else writeForeignKey(target, relation, null);
        target.orphaned = relation.cascade.deleteOrphan;
      }
    }
  }
}

function linkThrough(owner: EntityState, relation: Relation, target: EntityState): void {
  const list = manyValue(owner, relation);
  if (list.items?.includes(target.entity) === true) return;
  const inverse = relation.inverse();
  // The other side may have said the same, or the opposite that is taken back now: the row is one.
  const other = inverse === undefined ? undefined : target.manys?.get(inverse);
  const undone = list.removed.delete(target.entity) || other?.removed.delete(owner.entity) === true;
  if (!undone && other?.added.has(owner.entity) !== true) list.added.add(target.entity);
  if (list.items !== undefined) pushItem(list.items, target.entity);
  if (inverse !== undefined) enter(target, inverse, owner);
  owner.owner?.linksChanged(list);
}

function unlinkThrough(owner: EntityState, relation: Relation, target: EntityState): void {
  const list = manyValue(owner, relation);
  const inverse = relation.inverse();
  const other = inverse === undefined ? undefined : target.manys?.get(inverse);
  const undone = list.added.delete(target.entity) || other?.added.delete(owner.entity) === true;
  if (!undone && other?.removed.has(owner.entity) !== true) list.removed.add(target.entity);
  if (list.items !== undefined) dropItem(list.items, target.entity);
  if (inverse !== undefined) leave(target, inverse, owner);
  owner.owner?.linksChanged(list);
}

/** The list of one entity, made known. A new entity's is empty and counts as loaded: there are no rows yet. */
export function manyValue(state: EntityState, relation: Relation): ToManyValue {
  state.manys ??= new Map();
  let value = state.manys.get(relation);
  if (value === undefined) {
    value = { state, relation, items: undefined, added: new Set(), removed: new Set() };
    state.manys.set(relation, value);
    if (state.status === 'transient' || state.status === 'pending') value.items = listFor(value, []);
  }
  return value;
}

/** Makes the array a user gets. */
export function listFor({ state, relation }: ToManyValue, items: object[]): object[] {
  return makeList(items, {
    add: (more) => addMany(state, relation, more),
    remove: (fewer) => removeMany(state, relation, fewer),
  });
}

function enter(owner: EntityState, relation: Relation, target: EntityState): void {
  const list = manyValue(owner, relation);
  if (list.items === undefined) {
    list.removed.delete(target.entity);
    if (relation.direction !== 'through') list.added.add(target.entity);
  } else if (!list.items.includes(target.entity)) pushItem(list.items, target.entity);
}

function leave(owner: EntityState, relation: Relation, target: EntityState): void {
  const list = manyValue(owner, relation);
  if (list.items !== undefined) dropItem(list.items, target.entity);
  else if (relation.direction !== 'through') {
    list.added.delete(target.entity);
    list.removed.add(target.entity);
  }
}

/** Throws `ATH_USAGE` for what is no entity of the relation's class. */
function related(relation: Relation, value: unknown): EntityState {
  const state = stateOf(value);
  if (state !== undefined && state.mapper === relation.target) return state;
  const given = state === undefined ? (value === null ? 'null' : typeof value) : `an entity of ${state.mapper.name}`;
  throw new UsageError(
    `${relation.owner.name}.${relation.key} takes entities of ${relation.target.name}, got ${given}.`,
  );
}
