// What the orm keeps about an object, out of sight: in a private slot of a class that all entities descend from, where
// neither a spread, JSON, a clone, a comparison nor a debugger meets it.
import type { Mapper, Relation } from '../mapping/mapper.ts';
import type { Baseline } from './baseline.ts';
import type { IdentityKey } from './identity-key.ts';

/** `stale` is persistent too: see `frame`. */
export type EntityStatus = 'transient' | 'pending' | 'persistent' | 'deleted' | 'detached';

/** The session, as its entities see it. */
export interface EntityOwner {
  /** Loads the relation for this entity and its companions; it is known when the promise is kept. */
  load(state: EntityState, relation: Relation): Promise<void>;
  /** Takes a related entity in, because the relation cascades. */
  adopt(entity: object): void;
  /** The entity lacks a column from now on: its comparison takes the careful way. */
  demote(state: EntityState): void;
  /** Rows of the table in between are to be written. */
  linksChanged(list: ToManyValue): void;
}

/** Entities that came with one result: a relation is loaded for all of them at once. */
export interface Companions {
  readonly states: EntityState[];
}

/** A to-many relation of one entity. */
export interface ToManyValue {
  readonly state: EntityState;
  readonly relation: Relation;
  /** The list as users see it; `undefined` until loaded. */
  items: object[] | undefined;
  /** Added and removed since the last flush, or while not loaded. */
  readonly added: Set<object>;
  readonly removed: Set<object>;
}

/** Where a foreign key's values come from: an entity instead of a value. */
export interface KeySource {
  readonly relation: Relation;
  readonly parent: EntityState;
}

export class EntityState {
  readonly mapper: Mapper;
  entity: object = this;
  status: EntityStatus = 'transient';
  owner: EntityOwner | undefined;
  key: IdentityKey | undefined;
  /** The row as last read or written; `undefined` before there is one. */
  baseline: Baseline | undefined;
  /** Position among the completely loaded entities of its class, or -1. */
  slot = -1;
  /** The transaction or savepoint in which the baseline was read; what is older than the transaction is stale. */
  frame = 0;
  companions: Companions | undefined;
  ones: Map<Relation, EntityState | null> | undefined;
  manys: Map<Relation, ToManyValue> | undefined;
  handles: Map<Relation, object> | undefined;
  /** By the first column of the key. */
  sources: Map<number, KeySource> | undefined;
  /** By column: SQL the server will evaluate at the next flush. */
  expressions: Map<number, object> | undefined;
  /** Columns the last INSERT filled in: a rollback takes them back. */
  filled: readonly number[] | undefined;
  /** Left the list of a parent that owns it. */
  orphaned = false;
  /** Why a column is missing, for the error that says so. */
  missing: 'expired' | 'deferred' | undefined;
  constructor(mapper: Mapper) {
    this.mapper = mapper;
  }
}
