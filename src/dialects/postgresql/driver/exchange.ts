// One thing asked of the server and the reading of its answers, in the only order the protocol allows: what the pipeline
// knows of a batch, a cursor's page or a COPY, without knowing which it is. Anything out of order is a violation, which
// ends the connection.
import type { ConnectionStatus } from '../../../driver/driver.ts';
import { type CancelledError, DataError } from '../../../errors/index.ts';
import type { Frame } from '../wire/frame.ts';
import type { MessageWriter } from '../wire/message-writer.ts';
import { violation } from '../wire/protocol.ts';
import type { PreparedStatement } from '../wire/prepared-statement.ts';
import { cancelledBy } from './cancelled.ts';
import type { StatementCache } from '../wire/statement-cache.ts';

/** Where an exchange is written to. */
export interface ExchangeTarget {
  readonly writer: MessageWriter;
  readonly cache: StatementCache;
}

export interface ExchangeEnd {
  readonly signal: AbortSignal | undefined;
  readonly reject: (error: unknown) => void;
}

const NONE: readonly PreparedStatement[] = Object.freeze([]);

export abstract class Exchange {
  readonly signal: AbortSignal | undefined;
  readonly reject: (error: unknown) => void;
  next: Exchange | undefined;
  onAbort: (() => void) | undefined;
  /** Which statement the answers have come to. */
  cursor = 0;
  error: unknown;
  /** True while a sink's own code runs, so that what it throws is known to be its. */
  inSink = false;
  cancelSent = false;
  /** When the first cancel was sent, and the timer of the next one. */
  cancelling: { readonly since: number; timer?: NodeJS.Timeout } | undefined;

  /** Which statement `error` belongs to. */
  protected failedAt = 0;

  constructor({ signal, reject }: ExchangeEnd) {
    this.signal = signal;
    this.reject = reject;
  }

  /** The statements' texts, in order. */
  abstract readonly statements: readonly string[];
  /** Every statement is answered; only ReadyForQuery is missing. */
  abstract readonly complete: boolean;
  /** Later exchanges are not sent before this one is answered. */
  abstract readonly exclusive: boolean;
  /** Writes it. Throws, with nothing written, if it cannot be sent. */
  abstract write(target: ExchangeTarget): void;
  /** DataRow. */
  abstract row(frame: Frame): void;
  /** Any other message that answers a statement. Gives the completed command where there is one. */
  abstract answer(frame: Frame): string | undefined;
  /** ErrorResponse: the rest is not run. */
  abstract fail(error: unknown): void;
  /** ReadyForQuery: `status` is where it leaves the connection. */
  abstract ready(status: ConnectionStatus): void;
  /** Settles what the caller waits for, if all went well. */
  abstract succeed(): void;

  /** Named statements this exchange has the server parse. */
  get created(): readonly PreparedStatement[] {
    return NONE;
  }

  /** The statement that failed, if the server knew it before: parsing it anew may help. */
  get failedStatement(): PreparedStatement | undefined {
    return undefined;
  }

  /** Nothing of it was seen by anybody yet, so it may be run again in secret. */
  get repeatable(): boolean {
    return false;
  }

  /** The caller's signal fired after it was sent. */
  abort(): void {}

  /** All that arrived at once has been read. */
  pause(): void {}

  /** Why it ended, if by a cancel: the caller's reason, where there is one. */
  cancelled(cause: unknown): CancelledError {
    return cancelledBy(this.signal, cause);
  }

  settle(): void {
    if (this.error === undefined) this.succeed();
    else this.reject(this.error);
  }

  protected unexpected(frame: Frame): never {
    return violation(`message '${String.fromCharCode(frame.type)}' in the answer to a statement`);
  }

  /** A value that does not fit fails the exchange, though the server goes on. */
  protected refuse(error: unknown, sql: string): void {
    if (!(error instanceof DataError)) throw error;
    // What went wrong first is what the caller must hear of: a COMMIT that was answered by ROLLBACK, for one.
    if (this.error !== undefined) return;
    this.error = new DataError(error.message, {
      column: error.column,
      statementIndex: this.cursor,
      sql,
      outcome: 'failed',
    });
    this.failedAt = this.cursor;
  }
}
