// What reading a relation field gives. Loaded: the thing itself. Not loaded: a handle that can be awaited and, for a
// list, changed. Reading never asks the database.
import { DetachedEntityError, NotLoadedError, UsageError } from '../../errors/index.ts';
import type { EntityState, ToManyValue } from '../entity/entity-state.ts';
import type { Relation } from '../mapping/mapper.ts';
import { agrees, childValues } from './foreign-key.ts';
import type { Lazy, LazyList } from './lazy-types.ts';
import { addMany, listFor, manyValue, removeMany, setOne } from './link.ts';
import { pushItem } from './entity-list.ts';

const INSPECT: unique symbol = Symbol.for('nodejs.util.inspect.custom');

/** Awaiting it loads; it says what it is when printed. */
class Handle {
  readonly #state: EntityState;
  readonly #relation: Relation;
  constructor(state: EntityState, relation: Relation) {
    this.#state = state;
    this.#relation = relation;
  }
  // oxlint-disable-next-line unicorn/no-thenable -- an unloaded relation is awaited
  then(kept?: (value: unknown) => unknown, broken?: (reason: unknown) => unknown): Promise<unknown> {
    return loadField(this.#state, this.#relation).then(kept, broken);
  }
  add(...items: object[]): void {
    addMany(this.#state, this.#many('add'), items);
  }
  remove(...items: object[]): void {
    removeMany(this.#state, this.#many('remove'), items);
  }
  #many(method: string): Relation {
    if (this.#relation.direction !== 'parent') return this.#relation;
    throw new UsageError(`${nameOf(this.#relation)} is one entity, not a list: it has no ${method}().`);
  }
  [INSPECT](): string {
    return `[${nameOf(this.#relation)}: not loaded, await it]`;
  }
}

/** Whether a relation has been loaded: then it is what it says, else it must be awaited first. */
export function isLoaded<T>(relation: LazyList<T>): relation is LazyList<T> & readonly T[];
export function isLoaded<T>(relation: Lazy<T>): relation is T;
export function isLoaded(relation: unknown): boolean {
  return !(relation instanceof Handle);
}

/** The value of a relation field. */
export function readField(state: EntityState, relation: Relation): unknown {
  return relation.direction === 'parent' ? readOne(state, relation) : readMany(state, relation);
}

function readOne(state: EntityState, relation: Relation): unknown {
  const known = state.ones?.get(relation);
  if (known !== undefined) {
    if (agrees(state, relation.link, known)) return known === null ? null : known.entity;
    state.ones?.delete(relation);
    state.sources?.delete(relation.link.childIndexes[0] as number);
  }
  const values = childValues(state, relation.link);
  if (values === undefined ? state.status === 'transient' : values.includes(null)) return null;
  return handle(state, relation);
}

function readMany(state: EntityState, relation: Relation): unknown {
  return manyValue(state, relation).items ?? handle(state, relation);
}

function handle(state: EntityState, relation: Relation): Handle {
  state.handles ??= new Map();
  let made = state.handles.get(relation);
  if (made === undefined) {
    made = new Handle(state, relation);
    state.handles.set(relation, made);
  }
  return made as Handle;
}

async function loadField(state: EntityState, relation: Relation): Promise<unknown> {
  const before = readField(state, relation);
  if (!(before instanceof Handle)) return before;
  if (state.owner === undefined || state.status === 'transient') {
    throw new DetachedEntityError(`${nameOf(relation)} cannot be loaded: the entity belongs to no session.`, {
      hint: 'Load it before the session is closed, with selectinload() or an await, or get the entity from a new session.',
    });
  }
  await state.owner.load(state, relation);
  const value = readField(state, relation);
  return value instanceof Handle ? null : value;
}

/** Assigns to a relation field. A list is replaced as a whole, which needs its present members. */
export function writeField(state: EntityState, relation: Relation, value: unknown): void {
  if (relation.direction === 'parent') {
    setOne(state, relation, value);
    return;
  }
  const name = nameOf(relation);
  if (!Array.isArray(value)) throw new UsageError(`${name} is a list: it takes an array of entities.`);
  const { items } = manyValue(state, relation);
  if (items === undefined) {
    throw new NotLoadedError(`${name} is not loaded, so it is not known what replacing it would take away.`, {
      hint: `await entity.${relation.key} first, or use its add() and remove().`,
    });
  }
  const wanted = value as readonly object[];
  removeMany(
    state,
    relation,
    items.filter((item) => !wanted.includes(item)),
  );
  addMany(state, relation, wanted);
}

/** Puts in what was read from the database, and on top of it what has been added and removed meanwhile. */
export function fillMany(value: ToManyValue, rows: readonly object[]): void {
  const through = value.relation.direction === 'through';
  const items = listFor(value, []);
  for (const row of rows) if (!value.removed.has(row)) pushItem(items, row);
  for (const row of value.added) if (!items.includes(row)) pushItem(items, row);
  value.items = items;
  if (!through) {
    value.added.clear();
    value.removed.clear();
  }
}

/** Forgets what was loaded, so that the next await asks again. Changes that are not flushed stay. */
export function forgetRelations(state: EntityState): void {
  state.ones?.forEach((_, relation) => {
    if (!isSource(state, relation)) state.ones?.delete(relation);
  });
  state.manys?.forEach((value, relation) => {
    if (value.added.size === 0 && value.removed.size === 0) state.manys?.delete(relation);
  });
}

function isSource(state: EntityState, relation: Relation): boolean {
  return state.sources?.get(relation.link.childIndexes[0] as number)?.relation === relation;
}

function nameOf(relation: Relation): string {
  return `${relation.owner.entityClass.name}.${relation.key}`;
}
