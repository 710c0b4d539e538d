// What the database sent back, statement by statement as it came. Only a row that another one refers to is ever looked
// up by itself, and most flushes have none.
import type { Scalar } from '../../types/wire.ts';
import type { FlushStep } from './flush-step.ts';
import type { RowChange } from './row-change.ts';

/** What the database sent back for the rows of a flush, each in the order of its RETURNING. */
export class Returned {
  readonly #steps = new Map<FlushStep, readonly (readonly Scalar[])[]>();
  #byRow: Map<RowChange, readonly Scalar[]> | undefined;

  /** Keeps the answer to a step, row for row. */
  set(step: FlushStep, rows: readonly (readonly Scalar[])[]): void {
    this.#steps.set(step, rows);
    if (this.#byRow !== undefined) index(this.#byRow, step, rows);
  }

  /** In the order of the step's rows; `undefined` for a step that returns nothing. */
  of(step: FlushStep): readonly (readonly Scalar[])[] | undefined {
    return this.#steps.get(step);
  }

  get(row: RowChange): readonly Scalar[] | undefined {
    if (this.#byRow === undefined) {
      this.#byRow = new Map();
      for (const [step, rows] of this.#steps) index(this.#byRow, step, rows);
    }
    return this.#byRow.get(row);
  }
}

function index(byRow: Map<RowChange, readonly Scalar[]>, step: FlushStep, rows: readonly (readonly Scalar[])[]): void {
  for (let at = 0; at < rows.length; at++) byRow.set(step.rows[at] as RowChange, rows[at] as readonly Scalar[]);
}
