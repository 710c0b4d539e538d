// Ordered rows become statements: neighbours of one shape share one. Only neighbours, because the order in which rows
// were added is the order in which they must be seen to arrive.
import type { BulkNode } from '../../sql/bulk.ts';
import type { FlushStep } from './flush-step.ts';
import { type Cell, KeyRef, type PlanMapper, type RowChange, type RowShape } from './row-change.ts';
import type { Overrides } from './row-order.ts';

/** `sequences` are groups or layers, in their order; within one, rows keep their order after updates and tables are parted. */
export function batchSteps(sequences: readonly (readonly RowChange[])[], overrides: Overrides): readonly FlushStep[] {
  const steps: FlushStep[] = [];
  const referred = referredRows(sequences, overrides);
  const stepOf = new Map<RowChange, number>();
  for (const sequence of sequences) {
    for (const rows of neighbours(arrange(sequence))) {
      const index = steps.length;
      const values = rows.map((row) => overrides.get(row) ?? row.values);
      steps.push(step(index, rows, { values, needs: referred.size === 0 ? NONE : needs(values, stepOf) }));
      if (referred.size > 0) for (const row of rows) if (referred.has(row)) stepOf.set(row, index);
    }
  }
  return steps;
}

const NONE: readonly number[] = [];

/** The rows whose keys others wait for: mostly none. */
function referredRows(sequences: readonly (readonly RowChange[])[], overrides: Overrides): ReadonlySet<RowChange> {
  const found = new Set<RowChange>();
  for (const sequence of sequences) {
    for (const row of sequence) {
      for (const cell of overrides.get(row) ?? row.values) if (cell instanceof KeyRef) found.add(cell.row);
    }
  }
  return found;
}

interface Arranged {
  readonly updates: RowChange[];
  readonly others: RowChange[];
}

/** Tables apart, updates before inserts, else as given. */
function arrange(rows: readonly RowChange[]): readonly RowChange[] {
  const tables = new Map<PlanMapper, Arranged>();
  let mapper: PlanMapper | undefined;
  let table: Arranged = { updates: [], others: [] };
  for (const row of rows) {
    if (row.mapper !== mapper) {
      mapper = row.mapper;
      table = tables.get(mapper) ?? { updates: [], others: [] };
      tables.set(mapper, table);
    }
    (row.shape.action === 'update' ? table.updates : table.others).push(row);
  }
  return [...tables.values()].flatMap(({ updates, others }) => [...updates, ...others]);
}

function neighbours(rows: readonly RowChange[]): RowChange[][] {
  const batches: RowChange[][] = [];
  let batch: RowChange[] = [];
  for (const row of rows) {
    if (batch.length > 0 && (batch[0] as RowChange).shape === row.shape && canShare(row)) batch.push(row);
    else batches.push((batch = [row]));
  }
  return batches;
}

/** An expression is its row's own, and rows of nothing but defaults cannot be told apart in one statement. */
function canShare({ shape, expressions }: RowChange): boolean {
  return expressions === undefined && (shape.action !== 'insert' || shape.set.length > 0);
}

function needs(values: readonly (readonly Cell[])[], stepOf: ReadonlyMap<RowChange, number>): readonly number[] {
  const found = new Set<number>();
  for (const row of values) {
    for (const cell of row) {
      const from = cell instanceof KeyRef ? stepOf.get(cell.row) : undefined;
      if (from !== undefined) found.add(from);
    }
  }
  return [...found].sort((a, b) => a - b);
}

function step(
  index: number,
  rows: readonly RowChange[],
  { values, needs }: Pick<FlushStep, 'values' | 'needs'>,
): FlushStep {
  const { shape, mapper } = rows[0] as RowChange;
  return Object.freeze({
    index,
    action: shape.action,
    table: mapper.table,
    node: bulkNode(shape),
    rows: Object.freeze(rows),
    values: Object.freeze(values),
    needs: Object.freeze(needs),
    counted: shape.action !== 'insert',
  });
}

const nodes = new WeakMap<RowShape, BulkNode>();

/** One node a shape: its text is compiled once. */
function bulkNode(shape: RowShape): BulkNode {
  let node = nodes.get(shape);
  if (node === undefined) nodes.set(shape, (node = makeNode(shape)));
  return node;
}

function makeNode(shape: RowShape): BulkNode {
  const { action, table, key: shapeKey, set, match, guard, returning, constants } = shape;
  const key = `bulk:${shapeKey}`;
  if (action === 'insert') return Object.freeze({ kind: 'bulkInsert', key, table, columns: set, returning });
  if (action === 'update')
    return Object.freeze({ kind: 'bulkUpdate', key, table, set, match, guard, returning, constants });
  return Object.freeze({ kind: 'bulkDelete', key, table, match, guard });
}
