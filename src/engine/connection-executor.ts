// The executor of one connection at a time: it takes a connection with the first statement, sends BEGIN in the same
// write, knows whether the transaction still stands, and gives the connection back when it has ended.
import type { CompileCache } from '../dialect/compile-cache.ts';
import type { Dialect } from '../dialect/dialect.ts';
import type { DriverConnection, DriverCursor, DriverStatement, Sink, SubmitOptions } from '../driver/driver.ts';
import {
  AthanorError,
  CommitOutcomeUnknownError,
  CommitRolledBackError,
  ConnectionLostError,
  DatabaseError,
  StateError,
} from '../errors/index.ts';
import type { Lease } from '../pool/lease.ts';
import type { Pool } from '../pool/pool.ts';
import { TaskScope } from '../pool/task-scope.ts';
import type { CallSite } from '../primitives/call-site.ts';
import type { EngineWatch } from './events/engine-watch.ts';
import { ExecutorWatch } from './events/executor-watch.ts';
import type { StatementTrace } from './events/statement-trace.ts';
import type { ExecuteOptions, Executor, WaitOptions } from './executor.ts';
import { failed } from './failure.ts';
import { type FailedBatch, failedText, type Frame, framed, type PendingSavepoint } from './frame.ts';
import { FramedSink, RowCollector } from './row-collector.ts';
import { type ExecutionOptions, layered } from './options/execution-options.ts';
import { NO_WRITES } from './options/no-writes.ts';
import { joinedTags, type Tags, tagged } from './options/query-tags.ts';
import { OutcomeTrack, outcomeSql } from './outcome/outcome.ts';
import { openExecutorCursor } from './rows/executor-cursor.ts';
import { overdue, submitWithin, workWithin } from './submit-within.ts';
import {
  beganOtherwise,
  committedAnyway,
  endedBySql,
  rolledBack,
  transactionFailed,
  unknownOutcome,
} from './transaction-error.ts';
import { plainStatement, type TransactionTexts } from './transaction-texts.ts';
import { twoPhaseSql } from './outcome/two-phase.ts';

/** What the executors of one engine share. */
export interface ExecutorSource {
  readonly dialect: Dialect;
  readonly compiled: CompileCache;
  readonly pool: Pool;
  readonly texts: TransactionTexts;
  readonly watch: EngineWatch;
}

export interface ExecutorOptions extends ExecutionOptions, WaitOptions {
  /** Keeps the connection between transactions, until `close()`. */
  readonly keep?: boolean | undefined;
  /** Who will hold the connection. */
  readonly site?: CallSite | undefined;
}

/** What BEGIN says. */
const BEGINNING = ['isolation', 'readOnly', 'deferrable', 'trackOutcome'] as const;
const NOTHING: Sink = Object.freeze({ row: () => undefined });

/** How long a rollback may take before its connection is dropped instead, in ms. */
const ROLLBACK_LIMIT = 5_000;

export class ConnectionExecutor implements Executor {
  readonly dialect: Dialect;
  compiled: CompileCache;
  readonly watch: ExecutorWatch;
  readonly #source: ExecutorSource;
  #options: ExecutorOptions;
  readonly #track: OutcomeTrack | undefined;
  /** When all work of this executor must have ended, by the pool's clock. */
  readonly #deadline: number | undefined;
  #lease: Lease | undefined;
  #opening: Promise<Lease> | undefined;
  #scope: TaskScope | undefined;
  #begun = false;
  #number = 0;
  /** Savepoints that were asked for and not sent. */
  #pending: PendingSavepoint[] = [];
  /** Why the transaction cannot go on. */
  #failure: AthanorError | undefined;
  /** The first batch of the transaction, while it may still be withdrawn. */
  #beginning: Promise<void> | undefined;
  #closed = false;

  constructor(source: ExecutorSource, options: ExecutorOptions = {}) {
    this.dialect = source.dialect;
    this.compiled = compiledFor(source.compiled, options);
    this.watch = new ExecutorWatch(source.watch, options.logToken);
    this.#source = source;
    this.#options = options;
    this.#track =
      options.trackOutcome === true ? new OutcomeTrack(outcomeSql(source.dialect.transactions.outcome)) : undefined;
    this.#deadline = options.timeout === undefined ? undefined : source.pool.now() + options.timeout;
  }

  get traced(): boolean {
    return !this.watch.idle;
  }

  get inTransaction(): boolean {
    return this.#begun;
  }

  get settings(): ExecutionOptions {
    return this.#options;
  }

  /** Puts options over those it has. Throws `ATH_STATE` where they would come too late for the transaction under way. */
  configure(over: ExecutionOptions): void {
    if (this.#begun && BEGINNING.some((name) => over[name] !== undefined)) throw beganOtherwise();
    this.#options = { ...this.#options, ...layered(this.#options, over) };
    this.compiled = compiledFor(this.#source.compiled, this.#options);
  }

  /** The connection, while there is one. */
  get lease(): Lease | undefined {
    return this.#lease;
  }

  /** Takes the connection now rather than with the first statement. */
  async open(options: WaitOptions = {}): Promise<Lease> {
    return this.openNow(options) ?? this.#open(options);
  }

  /** The connection it has, or one that lies ready; `undefined` where one has to be waited for. */
  openNow(options: WaitOptions = {}): Lease | undefined {
    const lease = this.#lease;
    if (lease?.usable === true) return lease;
    if (this.#opening !== undefined) return undefined;
    const { signal = this.#options.signal } = options;
    const { site } = this.#options;
    try {
      this.#letGo();
      this.#lease = this.#source.pool.acquireNow({ signal, site, scope: this.#scope });
      if (this.#lease !== undefined) this.#source.watch.acquired(this.#lease.connectionId);
      return this.#lease;
    } catch (error) {
      throw this.watch.refused(failed(error, this.#context(undefined, 0, site)));
    }
  }

  /** Rejects with what the statement met; with `ATH_STATE` where the transaction has failed before. */
  async submit(given: readonly DriverStatement[], sink: Sink, options: ExecuteOptions = {}): Promise<void> {
    this.#refuse();
    if (options.commit === true && (this.#track !== undefined || this.watch.between))
      return this.#submitApart(given, sink, options);
    const batch = this.#tagged(given, options.tags);
    const asked = options.timeout === undefined ? 0 : this.#source.pool.now();
    if (this.#beginning !== undefined) await this.#beginning;
    const held = this.#lease;
    const lease = held !== undefined && (this.#begun || held.usable) ? held : await this.#open(options);
    const limits = this.#limits(options, asked);
    const { watch } = this;
    const frame = this.#frame(watch.idle ? batch : watch.before(batch, lease, options.site), sink, options);
    const trace = watch.idle ? undefined : this.#trace(frame, lease, { site: options.site, count: batch.length });
    let failure: unknown;
    try {
      // Nothing is awaited between here and the driver: the order of calls is the order of statements.
      if (trace !== undefined) await trace.send(() => this.#transmit(lease, frame, { limits, sink: trace.sink }));
      else if (limits === undefined) await lease.submit(frame.batch, frame.sink);
      else await this.#within(lease, frame, { limits, sink: frame.sink });
    } catch (error) {
      failure = error;
    } finally {
      lease.settled();
      trace?.end(failure);
    }
    if (failure === undefined) {
      if (this.#track !== undefined) this.#track.answered(frame.framed?.afterRow);
      // Only now: a connection that goes back before its batch has settled is taken for one with work under way.
      if (options.commit === true) this.#committed(frame.framed?.after?.command);
      else if (this.#begun && lease.pending === 0 && lease.usable && lease.connection.status === 'idle') {
        // What comes next would run outside of any transaction, and no rollback would undo it.
        throw (this.#failure = endedBySql(lease.connectionId));
      }
      return;
    }
    if (isNotSent(failure)) {
      this.#unsent(frame);
      if (frame.begins && stale(failure, lease)) {
        lease.invalidate('it was dead');
        return this.submit(given, sink, options);
      }
    }
    throw this.#failed(failure, { lease, offset: frame.offset, options, before: batch.length, batch: frame.batch });
  }

  /** Where somebody has a word before COMMIT, or the transaction's number must be known, it goes by itself. */
  async #submitApart(batch: readonly DriverStatement[], sink: Sink, options: ExecuteOptions): Promise<void> {
    await this.submit(batch, sink, { ...options, commit: false });
    await this.commit(options);
  }

  commit(options: WaitOptions = {}): Promise<void> {
    return this.#finish(this.#source.texts.commit, undefined, options);
  }

  /** Ends the transaction here and leaves it, under this name, to be committed or rolled back by any session. */
  async prepare(xid: string, options: WaitOptions = {}): Promise<void> {
    await this.#finish(plainStatement(twoPhaseSql(this.dialect).prepare(xid)), xid, options);
  }

  async #finish(statement: DriverStatement, xid: string | undefined, options: WaitOptions): Promise<void> {
    this.#refuseClosed();
    if (this.#opening !== undefined) await this.#opening.catch(ignore);
    this.#pending = [];
    if (!this.#begun) return this.#rest();
    const lost = this.#failure;
    if (lost instanceof StateError || (lost !== undefined && this.#lease?.usable !== true))
      throw transactionFailed(lost);
    if (lost !== undefined && this.#lease?.connection.status === 'idle') return this.#committed('ROLLBACK', lost);
    this.watch.committing(this.#lease, xid);
    const answer = new RowCollector();
    await this.#send(statement, answer, { wait: options, commit: true });
    this.#committed(answer.completion?.command, lost, xid);
  }

  /** Does not reject because the connection is gone: then the transaction is too. */
  async rollback(options: WaitOptions = {}): Promise<void> {
    this.#refuseClosed();
    await this.#rollback(options);
  }

  savepoint(name: string, _options?: WaitOptions): Promise<void> {
    return attempt(() => {
      this.#refuse();
      this.#pending.push({ name, statement: plainStatement(this.dialect.transactions.savepoint(name)) });
    });
  }

  async releaseSavepoint(name: string, options: WaitOptions = {}): Promise<void> {
    this.#refuse();
    if (this.#withdraw(name)) return;
    this.watch.savepoint('releaseSavepoint', this.#lease, name);
    await this.#send(plainStatement(this.dialect.transactions.release(name)), new RowCollector(), { wait: options });
  }

  async rollbackToSavepoint(name: string, options: WaitOptions = {}): Promise<void> {
    this.#refuseClosed();
    if (this.#withdraw(name)) return;
    if (this.#failure !== undefined && this.#lease?.usable !== true) throw transactionFailed(this.#failure);
    const failure = this.#failure;
    this.#failure = undefined;
    this.watch.savepoint('rollbackSavepoint', this.#lease, name);
    try {
      await this.#send(plainStatement(this.dialect.transactions.rollbackTo(name)), new RowCollector(), {
        wait: options,
      });
    } catch (error) {
      // What was to be undone still stands, even where nothing was sent: it must not be committed with the rest.
      this.#failure ??= failure ?? transactionFailed(error as AthanorError);
      throw error;
    }
  }

  /**
   * Does what only the driver's connection can, inside the transaction. `work` gets the connection and the signal that
   * ends it in time; it rejects as `submit` does.
   */
  async use<T>(
    work: (connection: DriverConnection, options: SubmitOptions) => Promise<T>,
    options: ExecuteOptions = {},
  ): Promise<T> {
    this.#refuse();
    const begins = !this.#begun && this.#options.isolation !== 'autocommit';
    if (begins || this.#pending.length > 0) await this.submit([], NOTHING, options);
    if (this.#beginning !== undefined) await this.#beginning;
    const lease = this.#begun && this.#lease !== undefined ? this.#lease : await this.open(options);
    const limits = this.#limits(options, 0);
    try {
      const run = (wait: SubmitOptions): Promise<T> => lease.use((connection) => work(connection, wait));
      return await (limits === undefined ? run({}) : workWithin(lease, run, limits));
    } catch (error) {
      throw this.#failed(error, { lease, offset: 0, options: {} });
    } finally {
      lease.settled();
    }
  }

  /** One statement outside of any transaction. */
  async alone(statement: DriverStatement, options: WaitOptions): Promise<void> {
    this.#refuse();
    if (this.#lease?.usable !== true) await this.open(options);
    await this.#send(statement, NOTHING, { wait: options });
    if (this.#options.keep !== true) this.#letGo();
  }

  openCursor(statement: DriverStatement, options: ExecuteOptions = {}): Promise<DriverCursor> {
    return openExecutorCursor(this, this.#tagged([statement], options.tags)[0] as DriverStatement, options);
  }

  /** Counts transactions, for what must not outlive the one it began in. */
  get transactionNumber(): number {
    return this.#number;
  }

  async scope<T>(work: () => Promise<T>): Promise<T> {
    const outer = this.#scope;
    const scope = new TaskScope();
    const lease = this.#lease;
    if (lease !== undefined) scope.add(lease);
    this.#scope = scope;
    try {
      return await scope.run(work);
    } finally {
      this.#scope = outer;
      if (lease !== undefined) scope.delete(lease);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#begun || this.#opening !== undefined) await this.#rollback({});
    this.#letGo();
  }

  // --- the connection ------------------------------------------------------------------------------------------

  #open(options: ExecuteOptions): Promise<Lease> {
    this.#opening ??= this.#acquire(options);
    return this.#opening;
  }

  async #acquire({
    signal = this.#options.signal,
    timeout,
    site = this.#options.site,
  }: ExecuteOptions): Promise<Lease> {
    try {
      this.#letGo();
      const left = this.#remaining(timeout);
      const { pool, watch } = this.#source;
      const lease = await watch.acquire(
        pool.acquire({
          signal,
          site,
          scope: this.#scope,
          ...(left === undefined ? {} : { timeout: Math.min(left, pool.acquireTimeout) }),
        }),
      );
      this.#lease = lease;
      return lease;
    } catch (error) {
      throw this.watch.refused(failed(error, this.#context(undefined, 0, site)));
    } finally {
      this.#opening = undefined;
    }
  }

  #letGo(): void {
    const lease = this.#lease;
    this.#lease = undefined;
    lease?.release();
  }

  /** The transaction is over. */
  #rest(): void {
    this.#begun = false;
    this.#number += 1;
    this.#failure = undefined;
    this.#pending = [];
    this.#track?.forget();
    if (this.#options.keep !== true) this.#letGo();
  }

  // --- what is sent --------------------------------------------------------------------------------------------

  /** The batch with what must go before and behind it. */
  #frame(batch: readonly DriverStatement[], sink: Sink, { commit }: ExecuteOptions): Frame {
    const begins = !this.#begun;
    const savepoints = this.#pending;
    const begin = begins ? this.#source.texts.begin(this.#options) : undefined;
    const track = this.#track?.wanted === true && batch.length > 0 ? this.#track : undefined;
    if (begin === undefined && savepoints.length === 0 && commit !== true && track === undefined) {
      return { batch, sink, offset: 0, begins, savepoints, framed: undefined };
    }
    const before = begin === undefined ? [] : [begin];
    for (const { statement } of savepoints) before.push(statement);
    this.#begun ||= begin !== undefined;
    this.#pending = [];
    const framed = new FramedSink(sink, before.length, batch.length);
    const behind =
      track !== undefined ? [track.statement] : commit === true && this.#begun ? [this.#source.texts.commit] : [];
    return { batch: [...before, ...batch, ...behind], sink: framed, offset: before.length, begins, savepoints, framed };
  }

  #tagged(batch: readonly DriverStatement[], own: Tags | undefined): readonly DriverStatement[] {
    const { tags } = this.#options;
    if (own === undefined && tags === undefined) return batch;
    return tagged(batch, joinedTags(tags, own));
  }

  /** The batch was not sent: what was to begin with it is still to be begun. */
  #unsent(frame: Frame): void {
    if (frame.begins) this.#begun = false;
    if (frame.savepoints.length > 0) this.#pending = [...frame.savepoints, ...this.#pending];
  }

  #within(lease: Lease, { batch, begins }: Frame, { limits = {}, sink }: Transmission): Promise<void> {
    const answer = submitWithin(lease, { batch, sink }, limits);
    if (!begins) return answer;
    // It may be withdrawn before it is sent; what comes behind it must not run outside a transaction.
    const over = (): void => {
      this.#beginning = undefined;
    };
    this.#beginning = answer.then(over, over);
    return answer;
  }

  #transmit(lease: Lease, frame: Frame, { limits, sink }: Transmission): Promise<void> {
    return limits === undefined ? lease.submit(frame.batch, sink) : this.#within(lease, frame, { limits, sink });
  }

  #trace(
    frame: Frame,
    lease: Lease,
    of: { readonly site: CallSite | undefined; readonly count: number },
  ): StatementTrace {
    const { batch, sink, offset } = frame;
    const savepoints = frame.savepoints.map(({ name }) => name);
    const begins = frame.begins && offset > savepoints.length;
    return this.watch.start({ batch, sink, offset, begins, savepoints, lease, ...of });
  }

  /** One statement of the executor's own, on the connection it has. */
  async #send(statement: DriverStatement, sink: Sink, { wait, commit }: SendOptions): Promise<void> {
    const lease = this.#lease;
    if (lease === undefined) throw new StateError('No transaction is open.', { outcome: 'not-sent' });
    const limits = this.#limits(wait, this.#source.pool.now());
    const frame = framed(statement, sink);
    const trace = this.watch.idle ? undefined : this.#trace(frame, lease, { site: undefined, count: 0 });
    let failure: unknown;
    try {
      if (trace === undefined) await this.#transmit(lease, frame, { limits, sink });
      else await trace.send(() => this.#transmit(lease, frame, { limits, sink: trace.sink }));
    } catch (error) {
      failure = error;
      throw this.#failed(error, { lease, offset: 0, options: { commit }, batch: frame.batch });
    } finally {
      lease.settled();
      trace?.end(failure);
    }
  }

  #limits({ signal = this.#options.signal, timeout }: WaitOptions, asked: number): WaitOptions | undefined {
    if (signal === undefined && timeout === undefined && this.#deadline === undefined) return undefined;
    const spent = asked === 0 ? 0 : this.#source.pool.now() - asked;
    const limits = { signal, timeout: this.#remaining(timeout === undefined ? undefined : timeout - spent) };
    const error = overdue(limits);
    if (error !== undefined) throw error;
    return limits;
  }

  #remaining(timeout: number | undefined): number | undefined {
    if (this.#deadline === undefined) return timeout;
    return Math.min(timeout ?? Number.POSITIVE_INFINITY, this.#deadline - this.#source.pool.now());
  }

  // --- how it ended --------------------------------------------------------------------------------------------

  /** COMMIT was answered, by this word. */
  #committed(command: string | undefined, cause?: AthanorError, xid?: string): void {
    const lease = this.#lease;
    this.#rest();
    this.watch.ended(command === 'ROLLBACK' ? 'rollback' : xid === undefined ? 'commit' : 'prepare', lease);
    if (command === 'ROLLBACK') throw rolledBack(lease?.connectionId, cause);
  }

  #failed(error: unknown, batch: FailedBatch): Error {
    const { lease } = batch;
    const begun = this.#begun;
    const known = this.#judged(error, batch);
    const told = this.watch.idle ? known : this.watch.failed(known, lease, failedText(known, batch));
    if (begun && !this.#begun) this.watch.ended(known.outcome === 'committed' ? 'commit' : 'rollback', lease);
    else if (begun && !lease.usable) this.#failure ??= known;
    return told;
  }

  #judged(error: unknown, { lease, offset, options, before, batch }: FailedBatch): AthanorError {
    const known = failed(error, { ...this.#context(lease, offset, options.site), batch, lost: !lease.usable });
    const status = lease.usable ? lease.connection.status : 'closed';
    if (options.commit === true && status === 'closed' && known.outcome !== 'not-sent') {
      this.#failure = unknownOutcome(known, lease.connectionId, this.#track?.number);
    } else if (options.commit === true && status === 'idle') {
      // COMMIT itself was refused, a deferred constraint for one: the transaction has ended.
      const cause = this.#failure;
      const begun = this.#begun;
      this.#rest();
      // A server that had refused a statement before COMMIT would have failed the transaction: it was its answer.
      if (begun && before !== undefined && isBefore(known, before)) return committedAnyway(known, lease.connectionId);
      return known instanceof CommitRolledBackError ? rolledBack(lease.connectionId, cause ?? known) : known;
    } else if (this.#begun && status !== 'transaction') this.#failure ??= known;
    else if (status === 'closed') this.#letGo();
    return this.#failure instanceof CommitOutcomeUnknownError ? this.#failure : known;
  }

  async #rollback(options: WaitOptions): Promise<void> {
    if (this.#opening !== undefined) await this.#opening.catch(ignore);
    const lease = this.#lease;
    const begun = this.#begun;
    if (begun) this.watch.rollingBack(lease);
    if (begun && lease?.usable === true && (lease.connection.status !== 'idle' || lease.pending > 0)) {
      const limits = { timeout: options.timeout ?? ROLLBACK_LIMIT };
      const frame = framed(this.#source.texts.rollback, new RowCollector());
      const trace = this.watch.idle ? undefined : this.#trace(frame, lease, { site: undefined, count: 0 });
      let failure: unknown;
      try {
        await submitWithin(lease, { batch: frame.batch, sink: trace?.sink ?? frame.sink }, limits);
      } catch (error) {
        failure = error;
        // The server ends the transaction of a connection that goes away.
        lease.invalidate('its rollback failed');
        this.#lease = undefined;
      } finally {
        lease.settled();
        trace?.end(failure);
      }
    }
    this.#rest();
    if (begun) this.watch.ended('rollback', lease);
  }

  /** Takes back a savepoint that was not sent, and those set after it. */
  #withdraw(name: string): boolean {
    const index = this.#pending.findLastIndex((savepoint) => savepoint.name === name);
    if (index < 0) return false;
    this.#pending.length = index;
    return true;
  }

  #refuse(): void {
    this.#refuseClosed();
    if (this.#failure !== undefined) throw transactionFailed(this.#failure);
  }

  #refuseClosed(): void {
    if (this.#closed) throw new StateError('The connection was closed.', { outcome: 'not-sent' });
  }

  #context(lease: Lease | undefined, offset: number, site: CallSite | undefined): Parameters<typeof failed>[1] {
    return {
      dialect: this.dialect,
      connectionId: lease?.connectionId,
      offset,
      site: site ?? this.#options.site,
    };
  }
}

interface Transmission {
  readonly limits: WaitOptions | undefined;
  readonly sink: Sink;
}

interface SendOptions {
  readonly wait: WaitOptions;
  readonly commit?: boolean | undefined;
}

/** The texts an executor with these options uses. */
function compiledFor(compiled: CompileCache, { schemaTranslateMap, readOnly }: ExecutionOptions): CompileCache {
  const guarded = readOnly === true ? compiled.guarded(NO_WRITES) : compiled;
  return schemaTranslateMap === undefined ? guarded : guarded.translated(schemaTranslateMap);
}

function isBefore(error: AthanorError, statements: number): boolean {
  return error instanceof DatabaseError && (error.statementIndex ?? statements) < statements;
}

function isNotSent(error: unknown): boolean {
  return error instanceof AthanorError && error.outcome === 'not-sent';
}

/** A connection that had died in the pool before anything of the transaction was sent: another one does as well. */
function stale(error: unknown, lease: Lease): boolean {
  return error instanceof ConnectionLostError && !lease.fresh;
}

/** What went wrong is told to whoever asked for the connection. */
function ignore(): void {}

async function attempt(work: () => void): Promise<void> {
  work();
}
