// `new User({...})`: exactly the columns and relations there are, nothing else. An object out of a request can then set
// what the model has, and not one property more.
import { MappingError, UsageError } from '../../errors/index.ts';
import { attachState, type EntityRoot } from '../entity/entity-root.ts';
import { EntityState } from '../entity/entity-state.ts';
import type { KnownStamp } from '../entity/stamp.ts';
import { writeField } from '../relations/relation-field.ts';
import { initialisedFields, isTrial } from './initialised-fields.ts';
import type { Mapper } from './mapper.ts';

/** Gives a new entity its state and what `init` says. Throws `ATH_USAGE` for a key the class does not have. */
export function initialise(entity: EntityRoot, mapper: Mapper, init: unknown): void {
  const state = new EntityState(mapper);
  attachState(entity, state);
  if (init === undefined) return;
  const given = checkInit(mapper, init);
  const keys = Object.keys(given);
  const known = mapper.lastInit;
  const values = known === undefined ? undefined : valuesOf(given, keys, known);
  if (known === undefined || values === undefined) initialiseWith(state, given, keys);
  else known.stamp(entity, values);
}

/** The values of exactly the known columns; `undefined` where anything is different. */
function valuesOf(
  given: Readonly<Record<string, unknown>>,
  keys: readonly string[],
  known: KnownStamp,
): readonly unknown[] | undefined {
  if (keys.length !== known.keys.length) return undefined;
  const values: unknown[] = [];
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] as string;
    if (key !== known.keys[at]) return undefined;
    const value = given[key];
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

function initialiseWith(state: EntityState, given: Readonly<Record<string, unknown>>, keys: readonly string[]): void {
  const { mapper, entity } = state;
  const fields = initialisedFields(mapper);
  const relations: string[] = [];
  const columns: string[] = [];
  const values: unknown[] = [];
  for (const key of keys) {
    const value = given[key];
    if (value === undefined) continue;
    const index = mapper.indexByKey.get(key);
    if (index === undefined) {
      if (!mapper.definitions.has(key)) throw unknownKey(mapper, key);
      relations.push(key);
      continue;
    }
    if (mapper.columns[index]?.computed !== undefined) {
      throw new UsageError(`${mapper.name}.${key} is computed by the database and cannot be set.`);
    }
    if (fields.has(key)) {
      throw new MappingError(
        `${mapper.entityClass.name} has a field ${key} of its own, which would overwrite the value given for the column.`,
        {
          hint: `Take the field out of the class body. A default belongs to the column: .default(value). A type without a value needs declare: declare ${key}: T.`,
        },
      );
    }
    columns.push(key);
    values.push(value);
  }
  if (columns.length > 0) {
    const stamp = mapper.stamps.get(columns);
    stamp(entity, values);
    // What a class being tried has for fields is not known yet.
    if (columns.length === keys.length && !isTrial()) mapper.lastInit = { keys, stamp };
  }
  // After the columns, for a relation decides over its foreign key.
  for (const key of relations) writeField(state, mapper.relation(key), given[key]);
}

function checkInit(mapper: Mapper, init: unknown): Readonly<Record<string, unknown>> {
  if (typeof init === 'object' && init !== null && !Array.isArray(init)) return init as Record<string, unknown>;
  throw new UsageError(`new ${mapper.entityClass.name}() takes an object of columns and relations.`);
}

function unknownKey(mapper: Mapper, key: string): UsageError {
  const known = [...mapper.keys, ...mapper.definitions.keys()];
  return new UsageError(`${mapper.entityClass.name} has no column or relation ${JSON.stringify(key)}.`, {
    hint: `It has ${known.join(', ')}.`,
  });
}
