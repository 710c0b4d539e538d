// One statement of a flush: what the plan is a list of.
import type { BulkNode } from '../../sql/bulk.ts';
import type { TableElement } from '../../sql/from.ts';
import type { Cell, RowAction, RowChange } from './row-change.ts';

/** One statement over rows of one shape. */
export interface FlushStep {
  readonly index: number;
  readonly action: RowAction;
  readonly table: TableElement;
  readonly node: BulkNode;
  readonly rows: readonly RowChange[];
  /** The parameters of each row, in the order of the node. */
  readonly values: readonly (readonly Cell[])[];
  /** Earlier steps whose generated keys this one needs. */
  readonly needs: readonly number[];
  /** Whether each row must have matched one: updates and deletes. */
  readonly counted: boolean;
}
