// A SQLite database as a driver connection. It is synchronous: a statement runs, and blocks its thread, inside the call
// of `submit`; `signal` is looked at between statements and cannot interrupt one.
import type { DatabaseSync } from 'node:sqlite';
import type {
  ConnectionStatus,
  DriverConnection,
  DriverStatement,
  ServerIdentity,
  Sink,
  StatementText,
  SubmitOptions,
} from '../../../driver/driver.ts';
import { announceSubmission, type Submission } from '../../../driver/submissions.ts';
import {
  AthanorError,
  CancelledError,
  DatabaseError,
  NOT_TRANSFERABLE,
  StateError,
  type TransferGuard,
  transferGuard,
} from '../../../errors/index.ts';
import { Lru } from '../../../primitives/lru.ts';
import { translateSqliteError } from '../errors.ts';
import { PreparedStatement } from './prepared-statement.ts';
import { deliver, SinkFailure } from './sink-failure.ts';
import { TransactionState } from './transaction-state.ts';

const GUARD = transferGuard('A SQLite connection', 'Send the URL of the database and open it there.');

const SUBMISSION: Submission = Object.freeze({ database: 'sqlite', version: process.versions['sqlite'] });

/** By text object: a program makes few texts and runs them often. */
const CACHED_STATEMENTS = 200;

export class SqliteConnection implements DriverConnection {
  readonly [NOT_TRANSFERABLE]: TransferGuard = GUARD;
  /** SQLite has no server process: this one serves. */
  readonly identity: ServerIdentity = Object.freeze({ pid: process.pid });
  /** Never called: there is no other end to go away. */
  onLost: ((error: Error) => void) | undefined;
  /** Never called: SQLite sends no notices. */
  onNotice: DriverConnection['onNotice'];
  readonly #database: DatabaseSync;
  readonly #statements = new Lru<StatementText, PreparedStatement>(CACHED_STATEMENTS);
  readonly #transaction: TransactionState;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#transaction = new TransactionState(database);
  }

  get status(): ConnectionStatus {
    return this.#transaction.status;
  }

  async submit(batch: readonly DriverStatement[], sink: Sink, options: SubmitOptions = {}): Promise<void> {
    if (this.status === 'closed') throw new StateError('This SQLite connection is closed.');
    let at = 0;
    try {
      for (; at < batch.length; at++) {
        throwIfAborted(options.signal, at);
        this.#run(batch, at, sink);
      }
      this.#transaction.settle(true);
    } catch (thrown) {
      // What fails behind the last statement is the end of the batch's own transaction: the last statement's.
      throw this.#failed(thrown, batch, Math.min(at, batch.length - 1));
    }
  }

  /** Does nothing: while a statement runs, no other code of the thread does. */
  async cancel(): Promise<void> {}

  async close(): Promise<void> {
    this.destroy();
  }

  destroy(): void {
    this.#statements.clear();
    // SQLite undoes an open transaction when its connection is closed.
    if (this.#database.isOpen) this.#database.close();
  }

  toJSON(): Record<string, unknown> {
    return GUARD.json({ status: this.status });
  }

  #run(batch: readonly DriverStatement[], at: number, sink: Sink): void {
    const { text, params, sets = [params] } = batch[at] as DriverStatement;
    const statement = this.#prepare(text);
    if (this.#transaction.admit(statement.command, batch.length > 1 || sets.length > 1)) {
      statement.run(sets, sink, at);
      this.#transaction.ran();
    } else deliver(() => sink.done?.(at, { command: statement.command, count: undefined }));
    if (at === 0) announceSubmission(SUBMISSION);
  }

  #prepare(text: StatementText): PreparedStatement {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    const prepared = new PreparedStatement(this.#database, text);
    if (text.prepare) this.#statements.set(text, prepared);
    return prepared;
  }

  #failed(thrown: unknown, batch: readonly DriverStatement[], at: number): unknown {
    if (thrown instanceof SinkFailure) {
      this.destroy();
      return thrown.error;
    }
    try {
      this.#transaction.settle(false);
    } catch {
      // What was made for this batch cannot be undone in words, so it is undone by leaving.
      this.destroy();
    }
    const error = translateSqliteError(thrown, { sql: batch[at]?.text.sql, statementIndex: at });
    if (error instanceof DatabaseError) Object.assign(error, { statementIndex: at });
    return error;
  }
}

function throwIfAborted(signal: AbortSignal | undefined, at: number): void {
  if (signal?.aborted !== true) return;
  throw signal.reason instanceof AthanorError
    ? signal.reason
    : new CancelledError(`The call was cancelled before SQLite ran statement ${at + 1}.`, {
        cause: signal.reason,
        outcome: at === 0 ? 'not-sent' : 'failed',
      });
}
