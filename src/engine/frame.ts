// A batch with what was put before and behind it, and what is known of one that failed.
import type { DriverStatement, Sink } from '../driver/driver.ts';
import { type AthanorError, DatabaseError } from '../errors/index.ts';
import type { Lease } from '../pool/lease.ts';
import type { ExecuteOptions } from './executor.ts';
import type { FramedSink } from './row-collector.ts';

/** A savepoint that was asked for and not sent. */
export interface PendingSavepoint {
  readonly name: string;
  readonly statement: DriverStatement;
}

export interface Frame {
  readonly batch: readonly DriverStatement[];
  readonly sink: Sink;
  /** How many statements go before the caller's. */
  readonly offset: number;
  /** It is the first of a transaction, or stands alone. */
  readonly begins: boolean;
  readonly savepoints: readonly PendingSavepoint[];
  readonly framed: FramedSink | undefined;
}

export interface FailedBatch {
  readonly lease: Lease;
  readonly offset: number;
  readonly options: ExecuteOptions;
  /** Statements of the caller's before the COMMIT that went along. */
  readonly before?: number | undefined;
  /** All that was sent. */
  readonly batch?: readonly DriverStatement[] | undefined;
}

/** One statement of the executor's own. */
export function framed(statement: DriverStatement, sink: Sink): Frame {
  return { batch: [statement], sink, offset: 0, begins: false, savepoints: [], framed: undefined };
}

/** The text of the statement that failed, where that is known. */
export function failedText(error: AthanorError, { batch, offset }: FailedBatch): string | undefined {
  if (!(error instanceof DatabaseError)) return undefined;
  const { sql, statementIndex } = error;
  return sql ?? (statementIndex === undefined ? undefined : batch?.[statementIndex + offset]?.text.sql);
}
