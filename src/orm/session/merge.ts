// Brings the state of an entity from elsewhere into a session: onto the session's own object for that row, or into a
// new one. The object given stays where it is.
import { StaleDataError } from '../../errors/index.ts';
import { define } from '../entity/stamp.ts';
import { constructOver } from '../entity/construction.ts';
import { EntityState } from '../entity/entity-state.ts';
import type { Mapper } from '../mapping/mapper.ts';
import type { UnitOfWork } from './unit-of-work.ts';

type Find = (mapper: Mapper, key: unknown) => Promise<EntityState | null>;

/** Throws `ATH_STALE_DATA` where the entity is of an older version than the row. */
export async function mergeEntity(given: EntityState, unit: UnitOfWork, find: Find): Promise<object> {
  if (given.owner === unit.owner) return given.entity;
  const { mapper } = given;
  const key = keyOf(given);
  const found = key === undefined ? null : await find(mapper, key);
  const target = found ?? newEntity(mapper);
  if (found !== null) checkVersion(given, found);
  const from = given.entity as Record<string, unknown>;
  mapper.columns.forEach((column, index) => {
    if (column.computed !== undefined || index === mapper.versionIndex || !Object.hasOwn(from, column.key)) return;
    if (Object.hasOwn(target.entity, column.key))
      (target.entity as Record<string, unknown>)[column.key] = from[column.key];
    else define(target.entity, column.key, from[column.key]);
  });
  if (found === null) unit.add(target.entity);
  return target.entity;
}

function keyOf({ mapper, entity }: EntityState): unknown {
  const values = entity as Record<string, unknown>;
  const keys = mapper.primaryKey.map((index) => mapper.keys[index] as string);
  if (!keys.every((key) => Object.hasOwn(entity, key) && values[key] !== null)) return undefined;
  return keys.length === 1 ? values[keys[0] as string] : Object.fromEntries(keys.map((key) => [key, values[key]]));
}

function newEntity(mapper: Mapper): EntityState {
  const state = new EntityState(mapper);
  constructOver(mapper.entityClass, { values: [], state, stamp: () => {} });
  return state;
}

function checkVersion(given: EntityState, found: EntityState): void {
  const { mapper } = found;
  if (mapper.versionIndex === -1) return;
  const key = mapper.keys[mapper.versionIndex] as string;
  if (!Object.hasOwn(given.entity, key)) return;
  const [theirs, ours] = [given, found].map(({ entity }) => (entity as Record<string, unknown>)[key]);
  if (theirs === ours) return;
  throw new StaleDataError(
    `merge(): the entity of ${mapper.name} has version ${String(theirs)}, the row has ${String(ours)}.`,
    {
      hint: 'Load the row, look at what changed, and do the work again.',
    },
  );
}
