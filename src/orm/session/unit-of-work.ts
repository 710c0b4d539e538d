// The memory of a session: which entities it holds, what is new, what is to be deleted, and how all of that goes back
// when a transaction does. No statement is sent from here.
import { StateError, UsageError } from '../../errors/index.ts';
import type { Baseline } from '../entity/baseline.ts';
import { stateOf } from '../entity/entity-root.ts';
import type { EntityOwner, EntityState, KeySource, ToManyValue } from '../entity/entity-state.ts';
import { define } from '../entity/stamp.ts';
import type { Mapper, Relation } from '../mapping/mapper.ts';
import { agrees, writeForeignKey } from '../relations/foreign-key.ts';
import { forgetRelations } from '../relations/relation-field.ts';
import { ClassStore, isComplete } from './class-store.ts';
import { Frame } from './frame.ts';

export type RelationLoad = (state: EntityState, relation: Relation) => Promise<void>;

export class UnitOfWork {
  /** What entities know of their session. */
  readonly owner: EntityOwner;
  readonly #stores = new Map<Mapper, ClassStore>();
  readonly #frames: Frame[] = [];
  #clock = 0;
  /** New entities, in the order they were added. */
  readonly pending: Set<EntityState> = new Set();
  /** Marked for deletion, in that order. */
  readonly doomed: Set<EntityState> = new Set();
  /** Lists whose rows in a table in between are to be written. */
  readonly links: Set<ToManyValue> = new Set();

  constructor(load: RelationLoad) {
    this.owner = {
      load: async (state, relation) => load(state, relation),
      adopt: (entity) => {
        const state = stateOf(entity);
        // What is here already is only kept: its relations came along when they were set.
        if (state?.owner === this.owner) this.doomed.delete(state);
        else this.add(entity);
      },
      demote: (state) => {
        if (state.status === 'persistent') this.store(state.mapper).demote(state);
      },
      linksChanged: (list) => {
        this.links.add(list);
      },
    };
  }

  store(mapper: Mapper): ClassStore {
    let store = this.#stores.get(mapper);
    if (store === undefined) this.#stores.set(mapper, (store = new ClassStore(mapper)));
    return store;
  }
  get stores(): Iterable<ClassStore> {
    return this.#stores.values();
  }

  /** The state of an entity of this session or of none. Throws `ATH_USAGE` for anything else. */
  own(entity: unknown, verb: string): EntityState {
    const state = stateOfAny(entity, verb);
    if (state.owner !== undefined && state.owner !== this.owner) {
      throw new UsageError(`${verb}(): the entity of ${state.mapper.name} belongs to another session.`, {
        hint: 'Expunge it there first, or merge() it here, which makes a copy.',
      });
    }
    return state;
  }

  /** Takes in an entity and what it cascades to. */
  add(entity: unknown): void {
    const given = this.own(entity, 'add');
    // Most new entities are related to nothing yet.
    if (given.ones === undefined && given.manys === undefined) return this.#addOne(given);
    const open = [given];
    const seen = new Set<EntityState>();
    for (let state = open.pop(); state !== undefined; state = open.pop()) {
      if (seen.has(state)) continue;
      seen.add(state);
      // What is here already came with what it is related to; a list may still hold what was deleted, and keeps nobody.
      if (seen.size > 1 && (state.owner === this.owner || isDeleted(state))) continue;
      this.#addOne(state);
      // Backwards, so that the first related entity is added first.
      open.push(...related(state).reverse());
    }
  }

  #addOne(state: EntityState): void {
    if (state.owner !== undefined && state.owner !== this.owner) this.own(state.entity, 'add');
    this.doomed.delete(state);
    if (isDeleted(state)) {
      throw new StateError(`The row of the entity of ${state.mapper.name} was deleted.`, {
        hint: 'Add a new object with its values; or roll back, if it was deleted in this transaction.',
      });
    }
    if (state.owner === this.owner) return;
    state.owner = this.owner;
    if (state.key !== undefined && state.baseline !== undefined && state.status === 'detached') this.#attach(state);
    else {
      state.status = 'pending';
      state.key = undefined;
      state.baseline = undefined;
      this.pending.add(state);
    }
    state.manys?.forEach((list) => {
      if (list.relation.direction === 'through' && list.added.size + list.removed.size > 0) this.links.add(list);
    });
  }

  /** A detached entity comes back as it is: stale. */
  #attach(state: EntityState): void {
    const store = this.store(state.mapper);
    const present = store.get(state.key as string);
    if (present !== undefined && present !== state) {
      state.owner = undefined;
      throw new StateError(`The session already holds another object for this row of ${state.mapper.name}.`, {
        hint: 'merge() copies the detached entity into the one that is here.',
      });
    }
    state.status = 'persistent';
    state.frame = 0;
    store.track(state, isComplete(state));
  }

  /** Marks for deletion. A new entity is simply forgotten. */
  delete(entity: unknown): void {
    const state = this.own(entity, 'delete');
    if (state.status === 'pending') this.expunge(entity);
    else if (state.status === 'persistent') this.doomed.add(state);
    else if (state.status === 'detached') {
      this.add(entity);
      this.doomed.add(state);
    } else if (state.status === 'transient') {
      throw new UsageError(`delete(): the entity of ${state.mapper.name} is new; there is no row to delete.`);
    }
  }

  expunge(entity: unknown): void {
    const state = this.own(entity, 'expunge');
    if (state.owner !== this.owner) throw new UsageError('expunge(): the entity is not in this session.');
    this.release(state);
  }

  /** Lets go of an entity without a word to the database. */
  release(state: EntityState): void {
    this.pending.delete(state);
    this.doomed.delete(state);
    if (state.status === 'persistent') this.store(state.mapper).untrack(state);
    state.status = state.status === 'pending' ? 'transient' : 'detached';
    state.owner = undefined;
    state.companions = undefined;
  }

  /** Everything goes; called when the session ends. */
  releaseAll(): void {
    for (const state of Array.from(this.pending)) this.release(state);
    for (const store of this.#stores.values()) {
      store.each(letGo);
    }
    this.#stores.clear();
    this.doomed.clear();
    this.links.clear();
    this.#frames.length = 0;
  }

  // Transactions

  get frame(): Frame | undefined {
    return this.#frames.at(-1);
  }
  get depth(): number {
    return this.#frames.length;
  }
  /** A new transaction, or a savepoint in the one there is. */
  push(savepoint?: string): Frame {
    const frame = new Frame(++this.#clock, savepoint);
    this.#frames.push(frame);
    return frame;
  }
  /** Grows with each transaction, savepoint and bulk write: what is read now is newer than all before. */
  get clock(): number {
    return this.#clock;
  }
  /** Whether the entity was read in the transaction that is open now, and no bulk write went over its class since. */
  isFresh(state: EntityState): boolean {
    const [outermost] = this.#frames;
    return outermost !== undefined && state.frame >= outermost.id && state.frame >= this.store(state.mapper).epoch;
  }
  /** A statement wrote to the table without its entities: from now on they are stale. */
  wroteOver(mapper: Mapper): void {
    const store = this.#stores.get(mapper);
    if (store !== undefined) store.epoch = ++this.#clock;
  }

  wroteOverAll(): void {
    for (const store of this.#stores.values()) this.wroteOver(store.mapper);
  }

  /** The transaction was committed: what is in memory is what the database had then. */
  committed(): void {
    for (const frame of this.#frames) {
      for (const state of frame.deleted) detachDeleted(state);
    }
    this.#frames.length = 0;
  }

  /** The innermost savepoint was released. */
  released(): void {
    const inner = this.#frames.pop();
    const outer = this.#frames.at(-1);
    if (inner !== undefined && outer !== undefined) outer.absorb(inner);
  }

  /** Undoes in memory what was undone on the server: the whole transaction, or the innermost `count` savepoints. */
  undo(count: number = this.#frames.length): void {
    const undone = this.#frames.splice(this.#frames.length - count, count);
    for (const frame of undone.reverse()) this.#undoFrame(frame);
    for (const state of Array.from(this.pending)) this.release(state);
    this.doomed.clear();
    this.links.clear();
    for (const store of this.#stores.values()) {
      for (const state of store.changed()) restoreValues(state);
      for (const state of store) {
        state.ones = undefined;
        state.manys = undefined;
        state.sources = undefined;
        state.orphaned = false;
      }
    }
  }

  #undoFrame(frame: Frame): void {
    for (const state of frame.deleted) {
      if (state.status !== 'deleted') continue;
      state.status = 'persistent';
      this.store(state.mapper).track(state, isComplete(state));
    }
    const links = [...frame.inserted].flatMap(([state, { sources }]) => stillLinked(state, sources));
    for (const [state, { filled }] of frame.inserted) this.#makeTransient(state, filled);
    for (const { state, relation, parent } of links) writeForeignKey(state, relation, parent);
    for (const [state, replaced] of frame.replaced) {
      if (state.owner !== this.owner) continue;
      const store = this.store(state.mapper);
      if (state.key !== replaced.key) store.rekey(state, replaced.key);
      state.frame = replaced.frame;
      state.baseline = replaced.baseline;
      restoreValues(state);
      store.rebase(state, replaced.baseline, isComplete(state));
    }
    for (const store of this.#stores.values()) {
      for (const state of Array.from(store)) if (state.frame >= frame.id) this.expire(state);
    }
  }

  #makeTransient(state: EntityState, filled: readonly number[]): void {
    if (state.status === 'persistent') this.store(state.mapper).untrack(state);
    state.status = 'transient';
    state.owner = undefined;
    state.baseline = undefined;
    state.key = undefined;
    for (const index of filled) Reflect.deleteProperty(state.entity, state.mapper.keys[index] as string);
  }

  /** Forgets columns (all but the key, if not told which): reading one is an error until it is loaded again. */
  expire(state: EntityState, indexes?: readonly number[]): void {
    const { mapper, entity } = state;
    const baseline = [...(state.baseline as Baseline)];
    for (const index of indexes ?? mapper.columns.keys()) {
      if (mapper.primaryKey.includes(index)) continue;
      Reflect.deleteProperty(entity, mapper.keys[index] as string);
      baseline[index] = undefined;
      state.expressions?.delete(index);
    }
    this.frame?.keep(state);
    state.frame = 0;
    state.missing = 'expired';
    forgetRelations(state);
    this.store(mapper).rebase(state, baseline, false);
  }

  // Changes

  /** Whether a flush would find anything among these classes; all of them where `mappers` is undefined. */
  hasChanges(mappers: ReadonlySet<Mapper> | undefined): boolean {
    const concerned = (mapper: Mapper): boolean => mappers === undefined || mappers.has(mapper);
    for (const state of this.pending) if (concerned(state.mapper)) return true;
    for (const state of this.doomed) if (concerned(state.mapper)) return true;
    for (const list of this.links) if (concerned(list.relation.link.child)) return true;
    for (const store of this.#stores.values()) {
      if (concerned(store.mapper) && store.size > 0 && store.changed().length > 0) return true;
    }
    return false;
  }

  changed(): readonly EntityState[] {
    const found: EntityState[] = [];
    for (const store of this.#stores.values()) {
      if (store.size === 0) continue;
      for (const state of store.changed()) if (!this.doomed.has(state)) found.push(state);
    }
    return found;
  }
}

/** The state of an entity, whosever it is. Throws `ATH_USAGE` for anything else. */
export function stateOfAny(entity: unknown, verb: string): EntityState {
  const state = stateOf(entity);
  if (state === undefined) throw new UsageError(`${verb}() takes an entity of a mapped class.`);
  return state;
}

/** The relations by which a new entity got foreign keys, where it still has those. */
function stillLinked(
  state: EntityState,
  sources: ReadonlyMap<number, KeySource> | undefined,
): (KeySource & { readonly state: EntityState })[] {
  return [...(sources?.values() ?? [])].flatMap(({ relation, parent }) =>
    agrees(state, relation.link, parent) ? [{ state, relation, parent }] : [],
  );
}

/** Whether its row was deleted, in this transaction or in one before. */
function isDeleted({ status, key }: EntityState): boolean {
  return status === 'deleted' || (status === 'detached' && key === undefined);
}

function letGo(state: EntityState): void {
  state.status = 'detached';
  state.owner = undefined;
  state.companions = undefined;
  state.slot = -1;
}

/** It has no row any more, and does not get one by being added again. */
function detachDeleted(state: EntityState): void {
  state.status = 'detached';
  state.key = undefined;
  state.baseline = undefined;
  state.owner = undefined;
  state.companions = undefined;
}

/** Gives an entity the values of its baseline again. */
function restoreValues(state: EntityState): void {
  const { mapper, entity } = state;
  const baseline = state.baseline as Baseline;
  state.expressions = undefined;
  for (const [index, key] of mapper.keys.entries()) {
    if (baseline[index] === undefined) Reflect.deleteProperty(entity, key);
    else if (!Object.hasOwn(entity, key) || mapper.format.columnDiffers(entity, baseline, index)) {
      define(entity, key, mapper.format.value(baseline, index));
    }
  }
}

/** What comes along when an entity is added. */
function related(state: EntityState): EntityState[] {
  const found: EntityState[] = [];
  state.ones?.forEach((value, relation) => {
    if (value !== null && relation.cascade.saveUpdate) found.push(value);
  });
  state.manys?.forEach((list, relation) => {
    if (!relation.cascade.saveUpdate) return;
    for (const item of list.items ?? list.added) {
      const target = stateOf(item);
      if (target !== undefined) found.push(target);
    }
  });
  return found;
}
