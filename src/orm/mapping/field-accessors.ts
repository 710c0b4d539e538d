// What the prototype of a mapped class has under the names of columns and relations. A column that is there is the
// entity's own property and none of this is reached; what is not there explains itself instead of being undefined.
import { NotLoadedError, UsageError } from '../../errors/index.ts';
import { stateOf } from '../entity/entity-root.ts';
import type { EntityState } from '../entity/entity-state.ts';
import { define } from '../entity/stamp.ts';
import { readField, writeField } from '../relations/relation-field.ts';
import { isTrial, noteAssignment } from './initialised-fields.ts';
import type { Mapper } from './mapper.ts';

export function installAccessors(prototype: object, mapper: Mapper): void {
  for (const key of mapper.keys) Object.defineProperty(prototype, key, columnAccessor(key));
  for (const key of mapper.derived.keys()) Object.defineProperty(prototype, key, derivedAccessor(key));
  for (const key of mapper.definitions.keys()) Object.defineProperty(prototype, key, relationAccessor(key));
}

function columnAccessor(key: string): PropertyDescriptor {
  return {
    configurable: true,
    enumerable: false,
    get(this: object): unknown {
      if (isTrial()) return undefined;
      throw notLoaded(stateOf(this), key);
    },
    set(this: object, value: unknown) {
      noteAssignment(key);
      define(this, key, value);
    },
  };
}

function derivedAccessor(key: string): PropertyDescriptor {
  return {
    configurable: true,
    enumerable: false,
    get(this: object): unknown {
      const name = `${stateOf(this)?.mapper.entityClass.name ?? 'Entity'}.${key}`;
      throw new NotLoadedError(`${name} is derived by an expression and is not loaded with the entity.`, {
        hint: `Select it beside the entity: select(X, X.c.${key}).`,
      });
    },
    set(this: object) {
      throw new UsageError(`${key} is derived by an expression and cannot be set.`);
    },
  };
}

function relationAccessor(key: string): PropertyDescriptor {
  const stateOrThrow = (entity: object): EntityState => {
    const state = stateOf(entity);
    if (state === undefined) throw new UsageError(`${key} is a relation: it can only be used on an entity.`);
    return state;
  };
  return {
    configurable: true,
    enumerable: false,
    get(this: object): unknown {
      const state = stateOrThrow(this);
      return readField(state, state.mapper.relation(key));
    },
    set(this: object, value: unknown) {
      const state = stateOrThrow(this);
      writeField(state, state.mapper.relation(key), value);
    },
  };
}

function notLoaded(state: EntityState | undefined, key: string): NotLoadedError {
  if (state === undefined) return new NotLoadedError(`${key} is a column: it can only be read from an entity.`);
  const name = `${state.mapper.entityClass.name}.${key}`;
  const index = state.mapper.indexByKey.get(key) as number;
  if (state.expressions?.has(index) === true) {
    return new NotLoadedError(`${name} is computed by the database at the next flush.`, {
      hint: 'await session.flush() first.',
    });
  }
  switch (state.status) {
    case 'transient':
      return new NotLoadedError(`${name} has no value yet: the entity is new.`, {
        hint: 'Set it, or add the entity to a session and flush: what the database makes is read back.',
      });
    case 'pending':
      return new NotLoadedError(`${name} has no value yet: the entity has not been written.`, {
        hint: 'await session.flush() or session.commit() first: what the database makes is read back.',
      });
    case 'persistent':
      return new NotLoadedError(
        state.missing === 'expired'
          ? `${name} is not known any more: the transaction it was read in was rolled back, or it was expired.`
          : `${name} was not loaded.`,
        { hint: 'await session.refresh(entity) loads it.' },
      );
    default:
      return new NotLoadedError(`${name} is not loaded, and the entity belongs to no session.`, {
        hint: 'Get the entity from a session.',
      });
  }
}
