// A row that is deleted and added again under the same key in one flush is one UPDATE: an INSERT before the DELETE
// would meet the old row, and the DELETE before the INSERT would let cascades run.
import type { TableColumn } from '../../sql/from.ts';
import type { Scalar } from '../../types/wire.ts';
import { type IdentityKey, identityKey } from '../entity/identity-key.ts';
import { type Cell, KeyRef, type PlanMapper, type RowChange, type ShapeCache } from './row-change.ts';

/** The changes with each such pair made into one update, whose `source` is the new row's. */
export function switchRows(changes: readonly RowChange[], shapes: ShapeCache): readonly RowChange[] {
  const deleted = new Map<PlanMapper, Map<IdentityKey, RowChange>>();
  for (const change of changes) {
    if (change.shape.action !== 'delete') continue;
    const key = knownKey(change);
    if (key === undefined) continue;
    const rows = deleted.get(change.mapper) ?? new Map<IdentityKey, RowChange>();
    deleted.set(change.mapper, rows.set(key, change));
  }
  if (deleted.size === 0) return changes;
  const gone = new Set<RowChange>();
  const switched = new Map<RowChange, RowChange>();
  for (const change of changes) {
    // A key that only the database will know cannot be one that was deleted, so nothing refers to a switched row.
    const key = change.shape.action === 'insert' ? knownKey(change) : undefined;
    const old = key === undefined ? undefined : deleted.get(change.mapper)?.get(key);
    if (old === undefined || gone.has(old)) continue;
    gone.add(old);
    switched.set(change, updateInstead(change, old, shapes));
  }
  if (switched.size === 0) return changes;
  return changes.filter((change) => !gone.has(change)).map((change) => switched.get(change) ?? change);
}

function updateInstead(added: RowChange, old: RowChange, shapes: ShapeCache): RowChange {
  const key = added.mapper.primaryKey;
  const own = added.shape.set.filter((column) => !key.includes(column));
  // A row of nothing but its key is set to what it is: a statement must set something, and the guard must be asked.
  const set = own.length === 0 ? key.slice(0, 1) : own;
  const shape = shapes.intern({
    table: added.mapper.table,
    action: 'update',
    set,
    match: key,
    guard: old.shape.guard,
    returning: added.shape.returning,
  });
  const values = set.map((column) =>
    column.version === true && old.shape.guard.includes(column)
      ? nextVersion(old, column)
      : (added.values[added.shape.set.indexOf(column)] as Cell),
  );
  return { ...added, shape, values: [...values, ...old.values], stored: old.stored };
}

/** It goes on counting: whoever read the deleted row must not find its version again. */
function nextVersion({ shape, values }: RowChange, column: TableColumn): Cell {
  const stored = values[shape.match.length + shape.guard.indexOf(column)];
  return typeof stored === 'bigint' ? stored + 1n : Number(stored) + 1;
}

/** The key of the row a change is about, where it is known before anything runs. */
export function knownKey(change: RowChange): IdentityKey | undefined {
  const cells = keyCells(change);
  if (cells === undefined || cells.some((cell) => cell instanceof KeyRef)) return undefined;
  return identityKey(cells as readonly Scalar[]);
}

/** The cells of a change's own key; `undefined` for a new row whose key the database makes. */
export function keyCells(change: RowChange): readonly Cell[] | undefined {
  const { shape, values, mapper } = change;
  if (shape.action !== 'insert') return values.slice(shape.set.length, shape.set.length + shape.match.length);
  const cells: Cell[] = [];
  for (const column of mapper.primaryKey) {
    const at = shape.set.indexOf(column);
    if (at === -1) return undefined;
    cells.push(values[at] as Cell);
  }
  return cells;
}
