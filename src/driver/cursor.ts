// A result read in parts, for those too large to hold. The rows stay with the server until they are asked for, so a slow
// reader costs no memory on either side, and the connection is free for other statements in between.
import type { Scalar } from '../types/wire.ts';
import type { Field } from './field.ts';
import type { SubmitOptions } from './submit-options.ts';

/** One part of a cursor's result. */
export interface CursorPage {
  /** In wire form; the arrays belong to the caller. */
  readonly rows: Scalar[][];
  /** No rows follow: the cursor has come to its end. An empty page says so too. */
  readonly done: boolean;
}

/**
 * An open result of the current transaction; it ends with that transaction. Other statements may run between two
 * fetches. Fetches may overlap and are answered in order.
 */
export interface DriverCursor {
  readonly fields: readonly Field[];
  /** The next rows, at most `count` (a whole number from 1). A fetch that fails fails the transaction, as any statement. */
  fetch(count: number, options?: SubmitOptions): Promise<CursorPage>;
  /** Lets the server forget it. May be called at any time and more than once; a transaction that is over has closed it. */
  close(): Promise<void>;
}
