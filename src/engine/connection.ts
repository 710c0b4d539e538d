// A connection as an application holds it: statements go out in the order they were called, the first one begins a
// transaction, and nothing is kept that was not committed.
import type { CopySource, CopyTarget, DriverConnection } from '../driver/driver.ts';
import { NOT_TRANSFERABLE, StateError, type TransferGuard, transferGuard, UnsupportedError } from '../errors/index.ts';
import type { CallSite } from '../primitives/call-site.ts';
import type { ListenOptions, Unsubscribe } from '../primitives/listeners.ts';
import type { FirstOf, NamedOf, TupleOf } from '../sql/rows.ts';
import type { SchemaBind, SchemaChange, SchemaOptions } from '../schema/metadata.ts';
import type { AnyEntity } from '../sql/entity.ts';
import type { Statement } from '../sql/statement.ts';
import type { InsertValues } from '../sql/statements/settable.ts';
import { applySchema } from './apply-schema.ts';
import type { ConnectionExecutor } from './connection-executor.ts';
import { type CopiedRow, type CopyInOptions, type CopyOutOptions, copyIn, copyOut, copyOutBytes } from './copy/copy.ts';
import type { CopyRows } from './copy/copy-rows.ts';
import type { EngineEvents } from './events/engine-events.ts';
import type { EngineEventName, EventSubscriptions } from './events/event-hub.ts';
import { TracedCall } from './events/traced-call.ts';
import type { WaitOptions } from './executor.ts';
import type { ExecutionOptions, StatementOptions } from './options/execution-options.ts';
import type { RawStatements } from './raw-statement.ts';
import { Result } from './result.ts';
import { resultSite } from './result-watch.ts';
import { runScript, type ScriptResult } from './rows/script.ts';
import { DriverRows, type RunOptions, StatementRows } from './statement-rows.ts';
import { Transaction, type TransactionHome } from './transaction.ts';
import { plainStatement } from './transaction-texts.ts';
import { newXid, twoPhaseSql, TwoPhaseTransaction } from './outcome/two-phase.ts';

/** A row of raw SQL, by column name. */
export type RawRow = Readonly<Record<string, unknown>>;

const GUARD = transferGuard(
  'A connection',
  'Send the engine descriptor and connect over there; both share one budget.',
);

/** One connection, from `engine.connect()` until `close()`. */
export class Connection implements SchemaBind, TransactionHome<Connection> {
  readonly [NOT_TRANSFERABLE]: TransferGuard = GUARD;
  readonly #executor: ConnectionExecutor;
  readonly #raw: RawStatements;
  /** The transaction and the savepoints inside it, outermost first. */
  #open: Transaction<Connection>[] = [];
  #savepoints = 0;
  #closed = false;

  /** @internal */
  constructor(executor: ConnectionExecutor, raw: RawStatements) {
    this.#executor = executor;
    this.#raw = raw;
  }

  /** @internal */
  get connection(): Connection {
    return this;
  }

  /** Whether BEGIN was sent and neither COMMIT nor ROLLBACK was. */
  get inTransaction(): boolean {
    return this.#executor.inTransaction;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** What logs and errors call it; `undefined` while it has no server connection. */
  get connectionId(): string | undefined {
    return this.#executor.lease?.connectionId;
  }

  /**
   * The driver's own connection, while there is one: what is done with it is not seen by this object, nor undone.
   * Throws `ATH_STATE` where there is none, `ATH_FOREIGN_OWNER` in another process or thread.
   */
  get driverConnection(): DriverConnection {
    const { lease } = this.#executor;
    if (lease === undefined) throw new StateError('The connection has no server connection now.');
    return lease.connection;
  }

  /** Notes of the application on the server connection, kept as long as that is open. */
  get info(): Map<unknown, unknown> {
    const { lease } = this.#executor;
    if (lease === undefined) throw new StateError('The connection has no server connection now.');
    return lease.info;
  }

  /** Listens to what happens on this connection, as `engine.on` to all of the engine's. Gives the function that ends it. */
  on<Name extends EngineEventName>(name: Name, listener: EngineEvents[Name], options?: ListenOptions): Unsubscribe {
    return this.#executor.watch.listeners.on(name, listener, options);
  }

  /** Its listeners: to ask whether one is there, and to end what was subscribed elsewhere. */
  get events(): EventSubscriptions {
    return this.#executor.watch.listeners;
  }

  /**
   * Runs a statement. Awaiting the result gives its rows, typed by what was selected. Rejects with what the database
   * answered, with `ATH_STATEMENT_TIMEOUT` or `ATH_CANCELLED`, and with `ATH_STATE` where the transaction has failed before.
   */
  execute<A, N, L>(
    statement: Statement<A, N, L, true>,
    options: StatementOptions = {},
  ): Result<NamedOf<A, N, L>, TupleOf<A, N, L>> {
    const site = this.#site(Connection.prototype.execute);
    return new Result(new StatementRows(this.#executor, statement, this.#traced(options, site)), site);
  }

  /** The first value of each row of a statement. */
  scalars<A, N, L>(statement: Statement<A, N, L, true>, options: StatementOptions = {}): Result<FirstOf<A, N, L>> {
    const site = this.#site(Connection.prototype.scalars);
    const source = new StatementRows(this.#executor, statement, this.#traced(options, site));
    return new Result<unknown, [FirstOf<A, N, L>]>(source, site).scalars() as Result<FirstOf<A, N, L>>;
  }

  /** Runs SQL as it is. Parameters are plain values, never text; rows come as the driver reads them. */
  raw<R extends object = RawRow>(
    sql: string,
    params: readonly unknown[] = [],
    options: StatementOptions = {},
  ): Result<R, unknown[]> {
    const site = this.#site(Connection.prototype.raw);
    const make = (): ReturnType<RawStatements['make']> => this.#raw.make(sql, params);
    return new Result(new DriverRows(this.#executor, make, this.#traced(options, site)), site);
  }

  /** Runs SQL once for each parameter set, in one go. Rejects with `ATH_USAGE` where sets differ in length. */
  rawMany<R extends object = RawRow>(
    sql: string,
    sets: readonly (readonly unknown[])[],
    options: StatementOptions = {},
  ): Result<R, unknown[]> {
    const site = this.#site(Connection.prototype.rawMany);
    const make = (): ReturnType<RawStatements['make']> => this.#raw.makeMany(sql, sets);
    return new Result(new DriverRows(this.#executor, make, this.#traced(options, site)), site);
  }

  /**
   * Runs several statements of SQL in one go, inside the transaction, and gives what each answered. It takes no parameters:
   * for those is `raw()`. Rejects with `ATH_USAGE` where a string or comment in it does not end.
   */
  async script(sql: string, options: WaitOptions = {}): Promise<readonly ScriptResult[]> {
    Result.startPending();
    return runScript(this.#executor, sql, options);
  }

  /**
   * Writes many rows as one bulk stream, and gives their number: objects for a table or class, by property names and each
   * with the columns of the first; or the bytes of a stream for `COPY ... FROM STDIN` of your own. What it cannot write fails
   * the transaction. Rejects with `ATH_USAGE`, `ATH_DATA`, `ATH_UNSUPPORTED`, and with what the rows' source throws.
   */
  copyFrom<E extends AnyEntity>(
    target: E,
    rows: Iterable<InsertValues<E>> | AsyncIterable<InsertValues<E>>,
    options?: CopyInOptions,
  ): Promise<number>;
  copyFrom(sql: string, chunks: CopySource, options?: WaitOptions): Promise<number>;
  copyFrom(target: unknown, rows: unknown, options: CopyInOptions = {}): Promise<number> {
    Result.startPending();
    return copyIn(this.#executor, { target, rows: rows as CopyRows | CopySource }, options);
  }

  /**
   * Reads all rows of a table or class as one bulk stream, at the reader's pace; leaving the loop early stops the server and
   * fails the transaction. Or hands the bytes of `COPY ... TO STDOUT` of your own to `write`, and gives the number of rows.
   */
  copyTo<E extends AnyEntity>(source: E, options?: CopyOutOptions): AsyncGenerator<CopiedRow<E>, void, undefined>;
  copyTo(sql: string, write: CopyTarget, options?: WaitOptions): Promise<number>;
  copyTo(
    source: unknown,
    second: CopyOutOptions | CopyTarget = {},
    third: WaitOptions = {},
  ): Promise<number> | AsyncGenerator<unknown, void, undefined> {
    Result.startPending();
    return typeof second === 'function'
      ? copyOutBytes(this.#executor, { sql: source, write: second }, third)
      : copyOut(this.#executor, source, second);
  }

  /** Announces something to all who listen on the channel, when the transaction commits. Rejects with `ATH_UNSUPPORTED` where there is no such thing. */
  async notify(channel: string, payload: string = '', options: WaitOptions = {}): Promise<void> {
    const { notify } = this.#executor.dialect;
    if (notify === undefined) throw new UnsupportedError('This database has no announcements.');
    await this.raw(notify.notify, [channel, payload], options).all();
  }

  /** The options of this connection: the engine's, with its own over them. */
  getExecutionOptions(): ExecutionOptions {
    return this.#executor.settings;
  }

  /** Puts options over those the connection has. Throws `ATH_STATE` for what BEGIN has said already. */
  executionOptions(options: ExecutionOptions): this {
    this.#executor.configure(options);
    return this;
  }

  /** Begins a transaction, and with a function ends it too: commit when it returns, rollback when it throws. */
  begin(): Promise<Transaction<Connection>>;
  begin<T>(work: (transaction: Transaction<Connection>) => Promise<T>): Promise<T>;
  begin<T>(work?: (transaction: Transaction<Connection>) => Promise<T>): Promise<T | Transaction<Connection>> {
    Result.startPending();
    if (this.#executor.inTransaction || this.#open.length > 0) return Promise.reject(alreadyOpen());
    return this.#enter(undefined, work);
  }

  /**
   * Begins a transaction that can be prepared under a name and ended by any session. Without a name it gets one. Throws
   * `ATH_UNSUPPORTED` where the database has no such thing; the server must be set up for it.
   */
  async beginTwoPhase(xid: string = newXid()): Promise<TwoPhaseTransaction<Connection>> {
    twoPhaseSql(this.#executor.dialect).prepare(xid);
    const inner = await this.begin();
    this.#executor.watch.twoPhaseBegins(xid);
    return new TwoPhaseTransaction<Connection>(this, inner, xid);
  }

  /** The names of this database's prepared transactions, oldest first. */
  async recoverTwoPhase(options: WaitOptions = {}): Promise<string[]> {
    const rows = await this.raw(twoPhaseSql(this.#executor.dialect).prepared, [], options).scalars();
    return rows as string[];
  }

  /** Commits what some session prepared under this name. The connection must not be in a transaction. */
  commitPrepared(xid: string, options: WaitOptions = {}): Promise<void> {
    return this.#endPrepared('commitTwoPhase', xid, options);
  }

  /** Undoes what some session prepared under this name. The connection must not be in a transaction. */
  rollbackPrepared(xid: string, options: WaitOptions = {}): Promise<void> {
    return this.#endPrepared('rollbackTwoPhase', xid, options);
  }

  /** @internal */
  async prepare(xid: string, options: WaitOptions): Promise<void> {
    Result.startPending();
    try {
      await this.#executor.prepare(xid, options);
    } finally {
      if (!this.#executor.inTransaction) this.#endFrom(0);
    }
  }

  /** Sets a savepoint, and with a function ends it too: released when it returns, rolled back to when it throws. */
  beginNested(): Promise<Transaction<Connection>>;
  beginNested<T>(work: (transaction: Transaction<Connection>) => Promise<T>): Promise<T>;
  async beginNested<T>(
    work?: (transaction: Transaction<Connection>) => Promise<T>,
  ): Promise<T | Transaction<Connection>> {
    Result.startPending();
    this.#savepoints += 1;
    const name = `athanor_${this.#savepoints}`;
    await this.#executor.savepoint(name);
    return this.#enter(name, work);
  }

  /**
   * Commits what the connection did since the last commit or rollback. Rejects with `ATH_COMMIT_ROLLED_BACK` where the
   * transaction had failed, with `ATH_COMMIT_OUTCOME_UNKNOWN` where the answer was lost, and with what the database refused.
   */
  async commit(options: WaitOptions = {}): Promise<void> {
    Result.startPending();
    try {
      await this.#executor.commit(options);
    } finally {
      if (!this.#executor.inTransaction) this.#endFrom(0);
    }
  }

  /** Undoes what the connection did since the last commit or rollback. */
  async rollback(options: WaitOptions = {}): Promise<void> {
    Result.startPending();
    this.#endFrom(0);
    await this.#executor.rollback(options);
  }

  /** Changes the schema inside this connection's transaction. */
  async applySchema(change: SchemaChange, options: SchemaOptions = {}): Promise<void> {
    Result.startPending();
    await applySchema(this.#executor, change, options);
  }

  /** Drops the server connection; the next statement takes another one. Not in the middle of a transaction. */
  async invalidate(): Promise<void> {
    await this.rollback();
    this.#executor.lease?.invalidate('the application asked for it');
  }

  /** Rolls back what was not committed and gives the connection back. */
  close(): Promise<void> {
    Result.startPending();
    this.#closed = true;
    this.#endFrom(0);
    return this.#executor.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal */
  finish(transaction: Transaction<Connection>, how: 'commit' | 'rollback', options: WaitOptions): Promise<void> {
    if (transaction.savepoint !== undefined) return this.#finishNested(transaction, how, options);
    return how === 'commit' ? this.commit(options) : this.rollback(options);
  }

  async #finishNested(
    transaction: Transaction<Connection>,
    how: 'commit' | 'rollback',
    options: WaitOptions,
  ): Promise<void> {
    const savepoint = transaction.savepoint as string;
    Result.startPending();
    if (how === 'commit') await this.#executor.releaseSavepoint(savepoint, options);
    this.#endFrom(this.#open.indexOf(transaction));
    if (how === 'rollback') await this.#executor.rollbackToSavepoint(savepoint, options);
  }

  async #enter<T>(
    savepoint: string | undefined,
    work: ((transaction: Transaction<Connection>) => Promise<T>) | undefined,
  ): Promise<T | Transaction<Connection>> {
    const transaction = new Transaction<Connection>(this, savepoint);
    this.#open.push(transaction);
    if (work === undefined) return transaction;
    try {
      const value = await this.#executor.scope(() => work(transaction));
      if (transaction.isActive) await this.finish(transaction, 'commit', {});
      return value;
    } catch (error) {
      await this.#giveUp(transaction);
      throw error;
    }
  }

  /** After a failure: the caller hears of that one, whatever the rollback meets. */
  async #giveUp(transaction: Transaction<Connection>): Promise<void> {
    try {
      await transaction.close();
    } catch {
      // A savepoint that cannot be rolled back to leaves a failed transaction, which refuses all but its rollback.
    }
  }

  async #endPrepared(name: 'commitTwoPhase' | 'rollbackTwoPhase', xid: string, options: WaitOptions): Promise<void> {
    const sql = twoPhaseSql(this.#executor.dialect)[name === 'commitTwoPhase' ? 'commit' : 'rollback'](xid);
    Result.startPending();
    if (this.#executor.inTransaction) throw alreadyOpen();
    this.#executor.watch.twoPhase(name, await this.#executor.open(options), xid);
    await this.#executor.alone(plainStatement(sql), options);
  }

  #endFrom(index: number): void {
    for (const transaction of this.#open.splice(Math.max(0, index))) transaction.ended();
  }

  #site(above: (...args: never[]) => unknown): CallSite | undefined {
    return this.#executor.traced ? new TracedCall(above, 10) : resultSite(above);
  }

  #traced(options: StatementOptions, site: CallSite | undefined): RunOptions {
    return site === undefined ? options : { ...options, site };
  }

  toJSON(): Record<string, unknown> {
    return GUARD.json({ connectionId: this.connectionId, inTransaction: this.inTransaction, closed: this.#closed });
  }
}

function alreadyOpen(): StateError {
  return new StateError('A transaction is open already: the first statement began it, or begin() did.', {
    hint: 'End it with commit() or rollback() first, or use beginNested() for a savepoint inside it.',
    outcome: 'not-sent',
  });
}
