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

/** What few entities have. Kept apart, so that a hundred thousand loaded ones stay small. */
interface Rare {
  ones: Map<Relation, EntityState | null> | undefined;
  manys: Map<Relation, ToManyValue> | undefined;
  handles: Map<Relation, object> | undefined;
  sources: Map<number, KeySource> | undefined;
  expressions: Map<number, object> | undefined;
  filled: readonly number[] | undefined;
  orphaned: boolean;
  missing: 'expired' | undefined;
}

function noRare(): Rare {
  return {
    ones: undefined,
    manys: undefined,
    handles: undefined,
    sources: undefined,
    expressions: undefined,
    filled: undefined,
    orphaned: false,
    missing: undefined,
  };
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
  #rare: Rare | undefined;
  constructor(mapper: Mapper) {
    this.mapper = mapper;
  }

  /** To-one relations that are known. */
  get ones(): Map<Relation, EntityState | null> | undefined {
    return this.#rare?.ones;
  }
  set ones(value) {
    if (value !== undefined || this.#rare !== undefined) this.#own.ones = value;
  }
  get manys(): Map<Relation, ToManyValue> | undefined {
    return this.#rare?.manys;
  }
  set manys(value) {
    if (value !== undefined || this.#rare !== undefined) this.#own.manys = value;
  }
  /** What fields give before their relations are loaded. */
  get handles(): Map<Relation, object> | undefined {
    return this.#rare?.handles;
  }
  set handles(value) {
    if (value !== undefined || this.#rare !== undefined) this.#own.handles = value;
  }
  /** Where foreign keys come from, by the first column of the key. */
  get sources(): Map<number, KeySource> | undefined {
    return this.#rare?.sources;
  }
  set sources(value) {
    if (value !== undefined || this.#rare !== undefined) this.#own.sources = value;
  }
  /** By column: SQL the server will evaluate at the next flush. */
  get expressions(): Map<number, object> | undefined {
    return this.#rare?.expressions;
  }
  set expressions(value) {
    if (value !== undefined || this.#rare !== undefined) this.#own.expressions = value;
  }
  /** Columns a flush filled in before the INSERT: part of what a rollback of that takes back. */
  get filled(): readonly number[] | undefined {
    return this.#rare?.filled;
  }
  set filled(value) {
    if (value !== undefined || this.#rare !== undefined) this.#own.filled = value;
  }
  /** Left the list of a parent that owns it. */
  get orphaned(): boolean {
    return this.#rare?.orphaned ?? false;
  }
  set orphaned(value) {
    if (value || this.#rare !== undefined) this.#own.orphaned = value;
  }
  /** Why a column is missing, for the error that says so. */
  get missing(): 'expired' | undefined {
    return this.#rare?.missing;
  }
  set missing(value) {
    if (value !== undefined || this.#rare !== undefined) this.#own.missing = value;
  }

  get #own(): Rare {
    this.#rare ??= noRare();
    return this.#rare;
  }
}
