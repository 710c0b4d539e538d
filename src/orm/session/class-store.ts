// The entities of one class in one session: by key, and side by side with their baselines, so that looking for changes
// is one loop over two arrays. Strong references: nothing tells us of a write to a plain property, so an entity that
// could be collected could take its changes with it.
import { NotLoadedError } from '../../errors/index.ts';
import type { Baseline } from '../entity/baseline.ts';
import type { EntityState } from '../entity/entity-state.ts';
import type { IdentityKey } from '../entity/identity-key.ts';
import type { Mapper } from '../mapping/mapper.ts';

export class ClassStore {
  readonly mapper: Mapper;
  /** When a statement last wrote over the whole class: what was read before is stale. */
  epoch = 0;
  readonly #byKey = new Map<IdentityKey, EntityState>();
  readonly #states: EntityState[] = [];
  readonly #entities: object[] = [];
  readonly #baselines: Baseline[] = [];
  /** Entities that lack a column, or whose foreign key waits for another row: compared one column at a time. */
  readonly #partial = new Set<EntityState>();

  constructor(mapper: Mapper) {
    this.mapper = mapper;
  }

  get size(): number {
    return this.#states.length + this.#partial.size;
  }
  get(key: IdentityKey): EntityState | undefined {
    return this.#byKey.get(key);
  }
  /** As iterating, and quicker. */
  each(work: (state: EntityState) => void): void {
    for (const state of this.#states) work(state);
    for (const state of this.#partial) work(state);
  }
  *[Symbol.iterator](): IterableIterator<EntityState> {
    yield* this.#states;
    yield* this.#partial;
  }

  /** Takes in an entity whose `key` and `baseline` are set. `complete`: every column is its own property. */
  track(state: EntityState, complete: boolean): void {
    this.#byKey.set(state.key as IdentityKey, state);
    if (!complete) {
      this.#partial.add(state);
      return;
    }
    state.slot = this.#states.length;
    this.#states.push(state);
    this.#entities.push(state.entity);
    this.#baselines.push(state.baseline as Baseline);
  }

  untrack(state: EntityState): void {
    if (this.#byKey.get(state.key as IdentityKey) === state) this.#byKey.delete(state.key as IdentityKey);
    this.#leave(state);
  }

  #leave(state: EntityState): void {
    this.#partial.delete(state);
    const { slot } = state;
    if (slot === -1) return;
    state.slot = -1;
    const last = this.#states.pop() as EntityState;
    const entity = this.#entities.pop() as object;
    const baseline = this.#baselines.pop() as Baseline;
    if (last === state) return;
    this.#states[slot] = last;
    this.#entities[slot] = entity;
    this.#baselines[slot] = baseline;
    last.slot = slot;
  }

  /** Gives an entity that is here another baseline. */
  rebase(state: EntityState, baseline: Baseline, complete: boolean): void {
    state.baseline = baseline;
    if (complete && state.slot !== -1) {
      this.#baselines[state.slot] = baseline;
      return;
    }
    this.#leave(state);
    this.track(state, complete);
  }

  /** From now on it is compared column by column. */
  demote(state: EntityState): void {
    if (state.slot === -1) return;
    this.#leave(state);
    this.#partial.add(state);
  }

  rekey(state: EntityState, key: IdentityKey): void {
    if (state.key === key) return;
    if (this.#byKey.get(state.key as IdentityKey) === state) this.#byKey.delete(state.key as IdentityKey);
    state.key = key;
    this.#byKey.set(key, state);
  }

  /** The entities that differ from their baselines, or that have something the server shall compute. */
  changed(): readonly EntityState[] {
    const found: EntityState[] = [];
    this.#walk(found);
    for (const state of this.#partial) if (this.#partialDiffers(state)) found.push(state);
    return found;
  }

  #walk(found: EntityState[]): void {
    const positions: number[] = [];
    try {
      this.mapper.format.walk(this.#entities, this.#baselines, positions);
    } catch (error) {
      // Somebody deleted a property: its accessor spoke up. Those without all their columns take the careful way.
      if (!(error instanceof NotLoadedError)) throw error;
      for (const state of Array.from(this.#states)) if (!isComplete(state)) this.demote(state);
      this.#walk(found);
      return;
    }
    for (const position of positions) found.push(this.#states[position] as EntityState);
  }

  #partialDiffers(state: EntityState): boolean {
    if ((state.expressions?.size ?? 0) > 0 || waitsForKey(state)) return true;
    const { format, columns } = this.mapper;
    return columns.some((_, index) => format.columnDiffers(state.entity, state.baseline as Baseline, index));
  }
}

/** Whether every column is an own property. */
export function isComplete({ entity, mapper }: EntityState): boolean {
  for (const key of mapper.keys) if (!Object.hasOwn(entity, key)) return false;
  return true;
}

function waitsForKey(state: EntityState): boolean {
  if (state.sources === undefined) return false;
  for (const { relation } of state.sources.values()) {
    if (relation.link.childIndexes.some((index) => !Object.hasOwn(state.entity, state.mapper.keys[index] as string))) {
      return true;
    }
  }
  return false;
}
