// After the statements: entities get what the database made, and their rows become the new baselines.
import { FlushError } from '../../errors/index.ts';
import type { Scalar } from '../../types/wire.ts';
import type { Baseline } from '../entity/baseline.ts';
import { EntityState } from '../entity/entity-state.ts';
import { identityKeyAt, type IdentityKey } from '../entity/identity-key.ts';
import { define } from '../entity/stamp.ts';
import { isComplete } from '../session/class-store.ts';
import type { Frame } from '../session/frame.ts';
import type { UnitOfWork } from '../session/unit-of-work.ts';
import type { FlushPlan } from './flush-plan.ts';
import { KeyRef, type RowChange } from './row-change.ts';
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

function applySave(row: RowChange, context: SaveContext): void {
  const { source: state } = row;
  if (!(state instanceof EntityState)) return;
  const { unit, frame, returned } = context;
  const { mapper } = state;
  const isNew = state.status === 'pending';
  const wire = writtenValues(row, returned);
  const baseline: Baseline = isNew ? mapper.columns.map(() => undefined) : [...(state.baseline as Baseline)];
  const filled: number[] = [];
  if (!isNew) frame.keep(state);
  mapper.columns.forEach((column, index) => {
    const value = wire.get(column.name);
    if (value === undefined) return;
    const read = mapper.format.readColumn(baseline, index, value);
    const own = Object.hasOwn(state.entity, column.key);
    // JSON becomes the frozen value that was written; what else the user put there stays the user's own object, even
    // if it was changed again while the statements ran.
    if (
      !own ||
      column.type.compare === 'json' ||
      (madeForUs(row, index, state) && mapper.format.columnDiffers(state.entity, baseline, index))
    ) {
      define(state.entity, column.key, read);
    }
    if (!own) filled.push(index);
  });
  state.expressions = undefined;
  state.sources = undefined;
  state.orphaned = false;
  state.frame = unit.clock;
  state.missing = undefined;
  if (isNew) makePersistent(state, { baseline, filled }, context);
  else finishUpdate(state, baseline, unit);
}

/** The value came from the database, or from the column's definition, not from the user. */
function madeForUs({ shape }: RowChange, index: number, { mapper }: EntityState): boolean {
  const column = mapper.columns[index];
  return (
    column !== undefined &&
    (index === mapper.versionIndex || column.onUpdate !== undefined || shape.returning.includes(column))
  );
}

/** What is in the row now, by column name: what was sent, and what came back. */
function writtenValues(row: RowChange, returned: Returned): ReadonlyMap<string, Scalar> {
  const { shape, values } = row;
  const written = new Map<string, Scalar>();
  shape.match.forEach((column, index) => {
    const cell = values[shape.set.length + index];
    if (cell !== undefined && !(cell instanceof KeyRef)) written.set(column.name, cell);
  });
  shape.set.forEach((column, index) => {
    const cell = values[index];
    if (cell === undefined) return;
    const value = cell instanceof KeyRef ? referred(cell, returned) : cell;
    written.set(column.name, value ?? null);
  });
  const back = returned.get(row);
  shape.returning.forEach((column, index) => written.set(column.name, back?.[index] ?? null));
  return written;
}

function makePersistent(
  state: EntityState,
  { baseline, filled }: { readonly baseline: Baseline; readonly filled: readonly number[] },
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
  state.filled = [...(state.filled ?? []), ...filled];
  frame.inserted.add(state);
  store.track(state, isComplete(state));
}

function finishUpdate(state: EntityState, baseline: Baseline, unit: UnitOfWork): void {
  const store = unit.store(state.mapper);
  store.rekey(state, keyOf(state, baseline));
  store.rebase(state, baseline, isComplete(state));
}

function keyOf(state: EntityState, baseline: Baseline): IdentityKey {
  const { mapper } = state;
  const wire = mapper.primaryKey.map((index) => mapper.format.wire(baseline, index) ?? null);
  const key = identityKeyAt(wire, 0, [...wire.keys()]);
  if (key === undefined) throw new FlushError(`The new row of ${mapper.name} came back without a key.`);
  return key;
}
