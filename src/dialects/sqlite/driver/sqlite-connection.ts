// A SQLite database as a driver connection. It is synchronous: a statement runs, and blocks its thread, inside the call
// of `submit`; `signal` is looked at between statements and while a lock is waited for, and cannot interrupt one.
import type { DatabaseSync } from 'node:sqlite';
import type {
  ConnectionStatus,
  DriverConnection,
  DriverCursor,
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
  UsageError,
} from '../../../errors/index.ts';
import { Lru } from '../../../primitives/lru.ts';
import { translateSqliteError } from '../errors.ts';
import { isBusy, Patience } from './busy.ts';
import { PreparedStatement } from './prepared-statement.ts';
import { deliver, SinkFailure } from './sink-failure.ts';
import { SqliteCursor } from './sqlite-cursor.ts';
import { scanCommand } from './statement-scan.ts';
import { TransactionState } from './transaction-state.ts';
import { Turns } from './turns.ts';

const GUARD = transferGuard('A SQLite connection', 'Send the URL of the database and open it there.');

const SUBMISSION: Submission = Object.freeze({ database: 'sqlite', version: process.versions['sqlite'] });

/** By text object: a program makes few texts and runs them often. */
const CACHED_STATEMENTS = 200;

const ENDS: ReadonlySet<string> = new Set(['COMMIT', 'ROLLBACK']);

/** A batch on its way: statements before `at` have run. */
interface Progress {
  readonly batch: readonly DriverStatement[];
  readonly sink: Sink;
  at: number;
}

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
  readonly #turns = new Turns();
  readonly #cursors = new Set<SqliteCursor>();
  readonly #busyTimeout: number;

  /** `busyTimeout`: how long another connection's lock is waited for, in milliseconds. */
  constructor(database: DatabaseSync, busyTimeout: number) {
    this.#database = database;
    this.#busyTimeout = busyTimeout;
    this.#transaction = new TransactionState(database);
  }

  get status(): ConnectionStatus {
    return this.#transaction.status;
  }

  submit(batch: readonly DriverStatement[], sink: Sink, options: SubmitOptions = {}): Promise<void> {
    const patience = new Patience(this.#busyTimeout);
    const progress = { batch, sink, at: 0 };
    return this.#turns.take(() => {
      if (this.status === 'closed') throw new StateError('This SQLite connection is closed.');
      try {
        return this.#advance(progress, patience, options.signal);
      } catch (thrown) {
        throw this.#failed(thrown, progress, patience.waited);
      }
    });
  }

  async openCursor(statement: DriverStatement, options: SubmitOptions = {}): Promise<DriverCursor> {
    let cursor: SqliteCursor | undefined;
    await this.#turns.take(() => {
      if (this.status === 'closed') throw new StateError('This SQLite connection is closed.');
      if (this.status !== 'transaction') throw new UsageError('A cursor needs an open transaction.');
      throwIfAborted(options.signal, 0);
      const { text, params } = statement;
      try {
        // Of its own: the kept one may be run while this one is being read.
        cursor = new SqliteCursor(new PreparedStatement(this.#database, text), {
          params,
          sql: text.sql,
          turn: (work) => this.#turns.take(work),
          ended: (one) => this.#cursors.delete(one),
        });
      } catch (thrown) {
        throw translateSqliteError(thrown, { sql: text.sql, statementIndex: 0 });
      }
      this.#cursors.add(cursor);
      return true;
    });
    return cursor as SqliteCursor;
  }

  /** Does nothing: while a statement runs, no other code of the thread does. */
  async cancel(): Promise<void> {}

  async close(): Promise<void> {
    this.destroy();
  }

  destroy(): void {
    this.#statements.clear();
    this.#closeCursors();
    // SQLite undoes an open transaction when its connection is closed.
    if (this.#database.isOpen) this.#database.close();
  }

  toJSON(): Record<string, unknown> {
    return GUARD.json({ status: this.status });
  }

  /** Runs the batch from where it stands. `false` where another connection's lock is in the way for now. */
  #advance(progress: Progress, patience: Patience, signal: AbortSignal | undefined): boolean {
    const { batch } = progress;
    try {
      for (; progress.at < batch.length; progress.at++) {
        throwIfAborted(signal, progress.at);
        this.#run(progress);
        patience.got();
      }
      this.#transaction.settle(true);
      return true;
    } catch (error) {
      if (isBusy(error) && patience.refused()) return false;
      throw error;
    }
  }

  #run({ batch, at, sink }: Progress): void {
    const { text, params, sets = [params] } = batch[at] as DriverStatement;
    const statement = this.#prepare(text);
    if (ENDS.has(statement.command)) this.#closeCursors();
    const asOne = batch.length > 1 || sets.length > 1;
    if (this.#transaction.admit(statement.command, asOne ? () => writes(batch) : undefined)) {
      statement.run(sets, sink, at);
      this.#transaction.ran();
    } else deliver(() => sink.done?.(at, { command: statement.command, count: undefined }));
    if (at === 0) announceSubmission(SUBMISSION);
  }

  /** A read that is still open would keep its transaction's view of the database. */
  #closeCursors(): void {
    for (const cursor of [...this.#cursors]) cursor.end();
  }

  #prepare(text: StatementText): PreparedStatement {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    const prepared = new PreparedStatement(this.#database, text);
    if (text.prepare) this.#statements.set(text, prepared);
    return prepared;
  }

  #failed(thrown: unknown, { batch, at }: Progress, waited: number | undefined): unknown {
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
    // What fails behind the last statement is the end of the batch's own transaction: the last statement's.
    const statementIndex = Math.min(at, batch.length - 1);
    const error = translateSqliteError(thrown, { sql: batch[statementIndex]?.text.sql, statementIndex, waited });
    if (error instanceof DatabaseError) Object.assign(error, { statementIndex });
    return error;
  }
}

/** Whether a batch outside a transaction needs the lock for writing from its start. */
function writes(batch: readonly DriverStatement[]): boolean {
  return batch.some(({ text }) => scanCommand(text.sql) !== 'SELECT');
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
