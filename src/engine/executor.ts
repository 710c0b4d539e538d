// What a Session works on: its own connection, an outer transaction, or a loan. One interface, so that there is one
// code path above it. It deals in compiled statements only; what they mean is the caller's.
import type { Dialect } from '../dialect/dialect.ts';
import type { DriverStatement, Sink } from '../driver/driver.ts';

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds. */
  readonly timeout?: number | undefined;
}

export interface ExecuteOptions extends WaitOptions {
  /** COMMIT rides at the end of this batch. Only where the server itself keeps it from running after a failure. */
  readonly commit?: boolean | undefined;
}

export interface Executor {
  readonly dialect: Dialect;
  /** Whether a transaction is open: its BEGIN was sent and neither COMMIT nor ROLLBACK was. */
  readonly inTransaction: boolean;
  /** Runs a batch inside the transaction, taking a connection and beginning if need be: BEGIN rides in the same write. */
  submit(batch: readonly DriverStatement[], sink: Sink, options?: ExecuteOptions): Promise<void>;
  /** Ends the transaction and gives the connection back. Nothing happens where none is open. */
  commit(options?: WaitOptions): Promise<void>;
  /** Undoes the transaction and gives the connection back. A connection that cannot is destroyed. */
  rollback(options?: WaitOptions): Promise<void>;
  savepoint(name: string, options?: WaitOptions): Promise<void>;
  releaseSavepoint(name: string, options?: WaitOptions): Promise<void>;
  rollbackToSavepoint(name: string, options?: WaitOptions): Promise<void>;
  /** Rolls back what is open and ends the executor's use. */
  close(): Promise<void>;
}
