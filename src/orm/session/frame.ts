// What a transaction or savepoint has to remember to be undone in memory as the server undoes it: the baselines it
// replaced, and what came to be or ceased to be persistent in it.
import type { Baseline } from '../entity/baseline.ts';
import type { EntityState, KeySource } from '../entity/entity-state.ts';
import type { IdentityKey } from '../entity/identity-key.ts';

export interface Replaced {
  readonly baseline: Baseline;
  readonly frame: number;
  readonly key: IdentityKey;
}

/** What an INSERT did to an entity. */
export interface Inserted {
  /** The entities its foreign keys were taken from: a rollback takes the values away, and not the relations. */
  readonly sources: ReadonlyMap<number, KeySource> | undefined;
  /** Columns it filled in: a rollback takes them back. */
  readonly filled: readonly number[];
}

export class Frame {
  /** Grows from frame to frame over a session. */
  readonly id: number;
  /** The name of its savepoint; `undefined` for the transaction itself. */
  readonly savepoint: string | undefined;
  readonly replaced: Map<EntityState, Replaced> = new Map();
  readonly inserted: Map<EntityState, Inserted> = new Map();
  readonly deleted: Set<EntityState> = new Set();

  constructor(id: number, savepoint?: string) {
    this.id = id;
    this.savepoint = savepoint;
  }

  /** Keeps the baseline of an entity that is about to get another, if it is older than this frame. */
  keep(state: EntityState): void {
    if (state.baseline === undefined || state.frame >= this.id || this.replaced.has(state)) return;
    this.replaced.set(state, { baseline: state.baseline, frame: state.frame, key: state.key as IdentityKey });
  }

  /** A savepoint was released: what it would have undone is now this frame's to undo. */
  absorb(inner: Frame): void {
    for (const [state, replaced] of inner.replaced) {
      if (replaced.frame < this.id && !this.replaced.has(state)) this.replaced.set(state, replaced);
    }
    for (const [state, inserted] of inner.inserted) this.inserted.set(state, inserted);
    for (const state of inner.deleted) this.deleted.add(state);
  }
}
