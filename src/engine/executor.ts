// What a Session works on: its own connection, an outer transaction, or a loan. One interface, so that there is one
// code path above it. It deals in compiled statements only; what they mean is the caller's.
import type { CompileCache } from '../dialect/compile-cache.ts';
import type { Dialect } from '../dialect/dialect.ts';
import type { DriverCursor, DriverStatement, Sink } from '../driver/driver.ts';
import type { CallSite } from '../primitives/call-site.ts';
import type { ExecutionOptions } from './options/execution-options.ts';
import type { Tags } from './options/query-tags.ts';
import type { WaitOptions } from './options/wait-options.ts';

export type { WaitOptions } from './options/wait-options.ts';

export interface ExecuteOptions extends WaitOptions {
  /** Put behind the statements' texts, over those of the engine and the connection. */
  readonly tags?: Tags | undefined;
  /** COMMIT rides at the end of this batch. Only where the server itself keeps it from running after a failure. */
  readonly commit?: boolean | undefined;
  /** Who called, where `traced` says that somebody wants to know. */
  readonly site?: CallSite | undefined;
}

export interface Executor {
  readonly dialect: Dialect;
  /** The texts of statements by their shape, one cache for the whole engine. */
  readonly compiled: CompileCache;
  /** How its statements run unless they say otherwise. */
  readonly settings: ExecutionOptions;
  /** Somebody listens to statements: callers pass their call site. */
  readonly traced: boolean;
  /** Whether a transaction is open: its BEGIN was sent and neither COMMIT nor ROLLBACK was. */
  readonly inTransaction: boolean;
  /** Runs a batch inside the transaction, taking a connection and beginning if need be: BEGIN rides in the same write. */
  submit(batch: readonly DriverStatement[], sink: Sink, options?: ExecuteOptions): Promise<void>;
  /** Opens a cursor inside the transaction, beginning one if need be. Rejects with `ATH_UNSUPPORTED` where there are none. */
  openCursor(statement: DriverStatement, options?: ExecuteOptions): Promise<DriverCursor>;
  /** Ends the transaction and gives the connection back. Nothing happens where none is open. */
  commit(options?: WaitOptions): Promise<void>;
  /** Undoes the transaction and gives the connection back. A connection that cannot is destroyed. */
  rollback(options?: WaitOptions): Promise<void>;
  /** Sets a savepoint. It rides with the next batch. */
  savepoint(name: string, options?: WaitOptions): Promise<void>;
  releaseSavepoint(name: string, options?: WaitOptions): Promise<void>;
  rollbackToSavepoint(name: string, options?: WaitOptions): Promise<void>;
  /** Runs `work` as the task that holds this executor's connection: a second checkout inside it is known for what it is. */
  scope<T>(work: () => Promise<T>): Promise<T>;
  /** Rolls back what is open and ends the executor's use. */
  close(): Promise<void>;
}
