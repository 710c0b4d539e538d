// After the statements: entities get what the database made, and their rows become the new baselines.
import { FlushError } from '../../errors/index.ts';
import type { TableColumn } from '../../sql/from.ts';
import { nodeOf } from '../../sql/operand.ts';
import type { Scalar } from '../../types/wire.ts';
import type { Baseline } from '../entity/baseline.ts';
import { EntityState } from '../entity/entity-state.ts';
import { identityKey, type IdentityKey } from '../entity/identity-key.ts';
import type { Mapper } from '../mapping/mapper.ts';
import { isComplete } from '../session/class-store.ts';
import type { Frame } from '../session/frame.ts';
import type { UnitOfWork } from '../session/unit-of-work.ts';
import type { FlushPlan } from './flush-plan.ts';
import { type Cell, KeyRef, type RowChange, type RowShape } from './row-change.ts';
import { referred, type Returned } from './run-plan.ts';

export function applyPlan(plan: FlushPlan, returned: Returned, unit: UnitOfWork): void {
  const frame = unit.frame as Frame;
  const steps = plan.steps.flatMap((step) => step.rows);
  // Deletes first: a new row may have taken a deleted one's key.
  for (const row of steps) if (row.shape.action === 'delete') applyDelete(row, unit, frame);
  for (const row of steps) if (row.shape.action !== 'delete') applySave(row, { returned, unit, frame });
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
  /** Columns whose value came from the database or from the model, not from the user. */
  readonly madeForUs: ReadonlySet<number>;
}

const places = new WeakMap<RowShape, ShapePlaces>();

function placesOf(shape: RowShape, mapper: Mapper): ShapePlaces {
  let found = places.get(shape);
  if (found === undefined) {
    const indexes = (columns: readonly TableColumn[]): number[] =>
      columns.map((column) => mapper.columns.indexOf(column));
    const returning = indexes(shape.returning);
    const made = mapper.columns.flatMap(({ onUpdate }, index) =>
      onUpdate !== undefined || index === mapper.versionIndex ? [index] : [],
    );
    found = {
      match: indexes(shape.match),
      set: indexes(shape.set),
      returning,
      madeForUs: new Set([...returning, ...made]),
    };
    places.set(shape, found);
  }
  return found;
}

function applySave(row: RowChange, context: SaveContext): void {
  const { source: state } = row;
  if (!(state instanceof EntityState)) return;
  const { unit, frame } = context;
  const { mapper, entity } = state;
  const isNew = state.status === 'pending';
  const { madeForUs } = placesOf(row.shape, mapper);
  const wire = writtenValues(row, mapper, context.returned);
  const baseline: Baseline = isNew ? mapper.columns.map(() => undefined) : [...(state.baseline as Baseline)];
  const missing: string[] = [];
  const values: unknown[] = [];
  const filled: number[] = [];
  if (!isNew) frame.keep(state);
  settle(state, row);
  for (let index = 0; index < wire.length; index++) {
    const value = wire[index];
    if (value === undefined) continue;
    const { key, type } = mapper.columns[index] as TableColumn;
    const read = mapper.format.readColumn(baseline, index, value);
    if (!Object.hasOwn(entity, key)) {
      if (isAwaited(state, index)) continue;
      missing.push(key);
      values.push(read);
      filled.push(index);
      continue;
    }
    // JSON that still is what was written becomes the frozen value of it; what else the user put there stays the
    // user's own object, even if it was changed again while the statements ran.
    const ours = madeForUs.has(index) && mapper.format.columnDiffers(entity, baseline, index);
    const asWritten = type.compare === 'json' && !mapper.format.columnDiffers(entity, baseline, index);
    if (asWritten || ours) (entity as Record<string, unknown>)[key] = read;
  }
  if (missing.length > 0) mapper.stamps.get(missing)(entity, values);
  state.orphaned = false;
  // A write that was guarded by what it changed says nothing of the other columns: the row stays as stale as it was.
  if (isNew || unit.isFresh(state)) state.frame = unit.clock;
  if (isComplete(state)) state.missing = undefined;
  if (isNew) makePersistent(state, { baseline, filled, sources: row.sources as EntityState['sources'] }, context);
  else finishUpdate(state, baseline, unit);
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

/** What is in the row now, by column: what was sent, and what came back. `undefined` where neither says. */
function writtenValues(row: RowChange, mapper: Mapper, returned: Returned): readonly (Scalar | undefined)[] {
  const { shape, values } = row;
  const { match, set, returning } = placesOf(shape, mapper);
  const written: (Scalar | undefined)[] = mapper.columns.map(() => undefined);
  match.forEach((index, at) => {
    const cell = values[set.length + at];
    if (!(cell instanceof KeyRef)) written[index] = cell;
  });
  for (let at = 0; at < set.length; at++) {
    const cell = values[at] as Cell;
    written[set[at] as number] = cell instanceof KeyRef ? (referred(cell, returned) ?? null) : cell;
  }
  if (returning.length > 0) {
    const back = returned.get(row);
    returning.forEach((index, at) => {
      written[index] = back?.[at] ?? null;
    });
  }
  return written;
}

function makePersistent(
  state: EntityState,
  {
    baseline,
    filled,
    sources,
  }: { readonly baseline: Baseline; readonly filled: readonly number[]; readonly sources: EntityState['sources'] },
  { unit, frame }: SaveContext,
): void {
  const { mapper } = state;
  const key = keyOf(state, baseline);
  const store = unit.store(mapper);
  const other = store.get(key);
  // The row of another object of this session was replaced by this one.
  if (other !== undefined && other !== state) markDeleted(other, unit, frame);
  unit.pending.delete(state);
  state.status = 'persistent';
  state.key = key;
  state.baseline = baseline;
  state.filled = state.filled === undefined ? filled : [...state.filled, ...filled];
  frame.inserted.set(state, sources);
  store.track(state, isComplete(state));
}

function finishUpdate(state: EntityState, baseline: Baseline, unit: UnitOfWork): void {
  const store = unit.store(state.mapper);
  store.rekey(state, keyOf(state, baseline));
  store.rebase(state, baseline, isComplete(state));
}

function keyOf(state: EntityState, baseline: Baseline): IdentityKey {
  const { mapper } = state;
  const key = identityKey(mapper.primaryKey.map((index) => mapper.format.wire(baseline, index) ?? null));
  if (key === undefined) throw new FlushError(`The new row of ${mapper.name} came back without a key.`);
  return key;
}
