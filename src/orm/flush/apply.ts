// After the statements: entities get what the database made, and their rows become the new baselines.
import { FlushError } from '../../errors/index.ts';
import type { TableColumn } from '../../sql/from.ts';
import { nodeOf } from '../../sql/operand.ts';
import type { Scalar } from '../../types/wire.ts';
import type { Baseline } from '../entity/baseline.ts';
import { EntityState } from '../entity/entity-state.ts';
import { identityKey, type IdentityKey } from '../entity/identity-key.ts';
import type { Stamp } from '../entity/stamp.ts';
import type { Mapper } from '../mapping/mapper.ts';
import { type ClassStore, isComplete } from '../session/class-store.ts';
import type { Frame, Inserted } from '../session/frame.ts';
import type { UnitOfWork } from '../session/unit-of-work.ts';
import type { FlushPlan } from './flush-plan.ts';
import { type Cell, KeyRef, type RowChange, type RowShape } from './row-change.ts';
import type { FlushStep } from './flush-step.ts';
import type { Returned } from './returned.ts';
import { referred } from './run-plan.ts';

export function applyPlan(plan: FlushPlan, returned: Returned, unit: UnitOfWork): void {
  const frame = unit.frame as Frame;
  // Deletes first: a new row may have taken a deleted one's key.
  for (const step of plan.steps) {
    if (step.action === 'delete') for (const row of step.rows) applyDelete(row, unit, frame);
  }
  for (const step of plan.steps) if (step.action !== 'delete') applySaves(step, { returned, unit, frame });
}

function applyDelete({ source }: RowChange, unit: UnitOfWork, frame: Frame): void {
  if (!(source instanceof EntityState)) return;
  markDeleted(source, unit, frame);
}

/** Takes a deleted entity out of the session's sight; a rollback brings it back. */
export function markDeleted(state: EntityState, unit: UnitOfWork, frame: Frame): void {
  if (state.status === 'persistent') unit.store(state.mapper).untrack(state);
  state.status = 'deleted';
  unit.doomed.delete(state);
  frame.deleted.add(state);
}

interface SaveContext {
  readonly returned: Returned;
  readonly unit: UnitOfWork;
  readonly frame: Frame;
}

/** Where the parts of a row of one shape stand in the columns of its class. */
interface ShapePlaces {
  readonly match: readonly number[];
  readonly set: readonly number[];
  readonly returning: readonly number[];
  /** By column: whether its value came from the database or from the model, not from the user. */
  readonly madeForUs: readonly boolean[];
}

const places = new WeakMap<RowShape, ShapePlaces>();

function placesOf(shape: RowShape, mapper: Mapper): ShapePlaces {
  let found = places.get(shape);
  if (found === undefined) {
    const indexes = (columns: readonly TableColumn[]): number[] =>
      columns.map((column) => mapper.columns.indexOf(column));
    found = {
      match: indexes(shape.match),
      set: indexes(shape.set),
      returning: indexes(shape.returning),
      madeForUs: mapper.columns.map(
        (column, index) =>
          column.onUpdate !== undefined || index === mapper.versionIndex || shape.returning.includes(column),
      ),
    };
    places.set(shape, found);
  }
  return found;
}

/** Columns that an entity did not have, and how to write them: the same from row to row, and so kept once. */
interface Filling {
  readonly indexes: readonly number[];
  readonly stamp: Stamp;
}

const NOTHING: Filling = { indexes: [], stamp: () => {} };

/** What the rows of one step share, and what is used again for each. */
interface StepSave extends SaveContext {
  readonly mapper: Mapper;
  readonly store: ClassStore;
  readonly places: ShapePlaces;
  /** What is in the row now, by column; `undefined` where neither what was sent nor what came back says. */
  readonly wire: (Scalar | undefined)[];
  readonly filled: number[];
  readonly values: unknown[];
  filling: Filling;
  inserted: Inserted | undefined;
}

function applySaves(step: FlushStep, context: SaveContext): void {
  const back = context.returned.of(step);
  let save: StepSave | undefined;
  for (let at = 0; at < step.rows.length; at++) {
    const row = step.rows[at] as RowChange;
    if (!(row.source instanceof EntityState)) continue;
    if (save?.mapper !== row.source.mapper) save = stepSave(row, row.source.mapper, context);
    writtenValues(row, back?.[at], save);
    applySave(row.source, row, save);
  }
}

function stepSave({ shape }: RowChange, mapper: Mapper, context: SaveContext): StepSave {
  return {
    ...context,
    mapper,
    store: context.unit.store(mapper),
    places: placesOf(shape, mapper),
    wire: mapper.columns.map(() => undefined),
    filled: [],
    values: [],
    filling: NOTHING,
    inserted: undefined,
  };
}

function applySave(state: EntityState, row: RowChange, save: StepSave): void {
  const { unit, mapper } = save;
  const isNew = state.status === 'pending';
  const baseline = isNew ? mapper.format.blank() : [...(state.baseline as Baseline)];
  if (!isNew) save.frame.keep(state);
  settle(state, row);
  const complete = takeValues(state, baseline, save) === mapper.columns.length || isComplete(state);
  const { indexes, stamp } = fillingOf(save);
  stamp(state.entity, save.values);
  state.orphaned = false;
  // A write that was guarded by what it changed says nothing of the other columns: the row stays as stale as it was.
  if (isNew || unit.isFresh(state)) state.frame = unit.clock;
  if (complete) state.missing = undefined;
  if (!isNew) {
    save.store.rekey(state, keyOf(state, baseline));
    save.store.rebase(state, baseline, complete);
    return;
  }
  makePersistent(state, baseline, save);
  noteInserted(state, { sources: row.sources as EntityState['sources'], filled: indexes }, save);
  save.store.track(state, complete);
}

/** Puts the row into the baseline, and into `filled` what the entity lacks. Counts the columns it has or gets. */
function takeValues(
  state: EntityState,
  baseline: Baseline,
  { mapper, places, wire, filled, values }: StepSave,
): number {
  const { entity } = state;
  const { format, columns } = mapper;
  filled.length = values.length = 0;
  let count = 0;
  for (let index = 0; index < wire.length; index++) {
    const value = wire[index];
    if (value === undefined) continue;
    const { key, type } = columns[index] as TableColumn;
    const read = format.readColumn(baseline, index, value);
    if (!Object.hasOwn(entity, key)) {
      if (isAwaited(state, index)) continue;
      filled.push(index);
      values.push(read);
    } else if (type.compare === 'json' || places.madeForUs[index] === true) {
      // JSON that still is what was written becomes the frozen value of it; what else the user put there stays the
      // user's own object, even if it was changed again while the statements ran.
      const differs = format.columnDiffers(entity, baseline, index);
      if (differs ? places.madeForUs[index] === true : type.compare === 'json') {
        (entity as Record<string, unknown>)[key] = read;
      }
    }
    count++;
  }
  return count;
}

function fillingOf(save: StepSave): Filling {
  const { filled, filling, mapper } = save;
  if (filled.length === filling.indexes.length && filled.every((index, at) => index === filling.indexes[at])) {
    return filling;
  }
  save.filling =
    filled.length === 0
      ? NOTHING
      : { indexes: [...filled], stamp: mapper.stamps.get(filled.map((index) => mapper.keys[index] as string)) };
  return save.filling;
}

/** What was sent is done; what was set while the statements ran stays for the next flush. */
function settle(state: EntityState, row: RowChange): void {
  const { expressions, mapper, entity } = state;
  if (state.sources === row.sources) state.sources = undefined;
  else {
    row.sources?.forEach((source, first) => {
      if (state.sources?.get(first) === source) state.sources.delete(first);
    });
  }
  expressions?.forEach((given, index) => {
    const sent = row.expressions?.get(mapper.columns[index] as TableColumn)?.expression;
    if (sent === (nodeOf(given) ?? given) || Object.hasOwn(entity, mapper.keys[index] as string)) {
      expressions.delete(index);
    }
  });
  if (expressions?.size === 0) state.expressions = undefined;
}

/** Whether an expression or another entity will say what the column is. */
function isAwaited({ expressions, sources }: EntityState, index: number): boolean {
  if (expressions?.has(index) === true) return true;
  if (sources === undefined) return false;
  return [...sources.values()].some(({ relation }) => relation.link.childIndexes.includes(index));
}

/** Gathers what is in the row now. */
function writtenValues({ values }: RowChange, back: readonly Scalar[] | undefined, save: StepSave): void {
  const { wire, returned } = save;
  const { match, set, returning } = save.places;
  wire.fill(undefined);
  for (let at = 0; at < match.length; at++) {
    const cell = values[set.length + at] as Cell;
    if (!(cell instanceof KeyRef)) wire[match[at] as number] = cell;
  }
  for (let at = 0; at < set.length; at++) {
    const cell = values[at] as Cell;
    wire[set[at] as number] = cell instanceof KeyRef ? (referred(cell, returned) ?? null) : cell;
  }
  for (let at = 0; at < returning.length; at++) wire[returning[at] as number] = back?.[at] ?? null;
}

function makePersistent(state: EntityState, baseline: Baseline, { unit, frame, store }: StepSave): void {
  const key = keyOf(state, baseline);
  const other = store.get(key);
  // The row of another object of this session was replaced by this one.
  if (other !== undefined && other !== state) markDeleted(other, unit, frame);
  unit.pending.delete(state);
  state.status = 'persistent';
  state.key = key;
  state.baseline = baseline;
}

function noteInserted(state: EntityState, { sources, filled }: Inserted, save: StepSave): void {
  if (sources === undefined && state.filled === undefined) {
    // Most rows of a step are alike.
    if (save.inserted?.filled !== filled) save.inserted = { sources, filled };
    save.frame.inserted.set(state, save.inserted);
    return;
  }
  save.frame.inserted.set(state, { sources, filled: [...(state.filled ?? []), ...filled] });
  state.filled = undefined;
}

function keyOf(state: EntityState, baseline: Baseline): IdentityKey {
  const { mapper } = state;
  const key = identityKey(mapper.primaryKey.map((index) => mapper.format.wire(baseline, index) ?? null));
  if (key === undefined) throw new FlushError(`The new row of ${mapper.name} came back without a key.`);
  return key;
}
