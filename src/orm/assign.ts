// Several changes of one entity in one call, each a value, a related entity or an SQL expression.
import { UsageError } from '../errors/index.ts';
import type { Expr } from '../sql/expr.ts';
import { nodeOf } from '../sql/operand.ts';
import { stateOf } from './entity/entity-root.ts';
import type { EntityState } from './entity/entity-state.ts';
import type { Entity } from './mapping/entity-class.ts';
import type { LazyList, Unloaded } from './relations/lazy-types.ts';
import { writeField } from './relations/relation-field.ts';

/** What `assign` takes for an entity: values, related entities or SQL expressions. */
export type PatchOf<E> = {
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever it would load
  [K in keyof E]?: E[K] extends LazyList<infer T> ? readonly T[] : E[K] | Expr<Exclude<E[K], Unloaded<any>>>;
};

/**
 * Changes an entity. An expression is evaluated by the server at the next flush, from the row as it is then, so
 * `assign(d, { value: D.c.value.plus(1) })` loses no one else's increment; until then the column cannot be read.
 * Throws `ATH_USAGE` for a key the class does not have.
 */
export function assign<E extends Entity>(entity: E, patch: PatchOf<E>): E {
  const state = stateOf(entity);
  if (state === undefined) throw new UsageError('assign() takes an entity of a mapped class.');
  const given = patch as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(given)) {
    const value = given[key];
    if (value === undefined) continue;
    const index = state.mapper.indexByKey.get(key);
    if (index !== undefined) assignColumn(state, index, value);
    else if (state.mapper.definitions.has(key)) writeField(state, state.mapper.relation(key), value);
    else throw new UsageError(`${state.mapper.entityClass.name} has no column or relation ${JSON.stringify(key)}.`);
  }
  return entity;
}

function assignColumn(state: EntityState, index: number, value: unknown): void {
  const { mapper, entity } = state;
  const column = mapper.columns[index];
  const key = mapper.keys[index] as string;
  if (column?.computed !== undefined)
    throw new UsageError(`${mapper.name}.${key} is computed by the database and cannot be set.`);
  if (nodeOf(value) === undefined) {
    state.expressions?.delete(index);
    (entity as Record<string, unknown>)[key] = value;
    return;
  }
  if (column?.primaryKey === true)
    throw new UsageError(`${mapper.name}.${key} is part of the key and cannot be an expression.`);
  state.expressions ??= new Map();
  state.expressions.set(index, value as object);
  Reflect.deleteProperty(entity, key);
  state.owner?.demote(state);
}
