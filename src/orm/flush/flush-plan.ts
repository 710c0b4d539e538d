// A flush as data: which statements, in which order, over which rows. Made by a pure function and carried out by
// run-plan.ts, so that the unit of work can be read, printed and tested where there is no database.
import { batchSteps } from './batch.ts';
import type { FlushStep } from './flush-step.ts';
import { orderGroups } from './mapper-order.ts';
import { printSteps } from './print-plan.ts';
import { type RowChange, ShapeCache } from './row-change.ts';
import { orderRows, type Overrides } from './row-order.ts';
import { switchRows } from './row-switch.ts';

/** The frozen plan of one flush. Printing it shows tables, columns and row counts, never a value. */
export class FlushPlan {
  readonly steps: readonly FlushStep[];
  constructor(steps: readonly FlushStep[]) {
    this.steps = Object.freeze(steps);
    Object.freeze(this);
  }
  /** Rows over all steps. */
  get rowCount(): number {
    return this.steps.reduce((sum, step) => sum + step.rows.length, 0);
  }
  toString(): string {
    return printSteps(this.steps);
  }
  toJSON(): unknown {
    return this.steps.map(({ action, table, rows, node, needs }) => ({
      action,
      table: table.name,
      columns: (node.kind === 'bulkInsert' ? node.columns : node.match).map((column) => column.name),
      rows: rows.length,
      needs,
    }));
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/**
 * Plans the statements that write `changes`: tables in the order of their foreign keys, rows one by one only inside
 * circles, neighbours of one shape in one statement. Pure: equal changes give equal plans. Throws
 * `ATH_CIRCULAR_DEPENDENCY` for rows that no order can write.
 */
export function planFlush(changes: readonly RowChange[], shapes: ShapeCache = new ShapeCache()): FlushPlan {
  const overrides: Overrides = new Map();
  const sequences: (readonly RowChange[])[] = [];
  for (const set of orderGroups(switchRows(changes, shapes))) {
    if (set.circular) sequences.push(...orderRows(set.groups, shapes, overrides));
    else sequences.push((set.groups[0] as { readonly rows: readonly RowChange[] }).rows);
  }
  return new FlushPlan(batchSteps(sequences, overrides));
}
