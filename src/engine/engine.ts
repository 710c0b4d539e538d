// Where a program's work with one database begins: it owns the pool and the cache of compiled statements, and hands
// out connections, transactions and executors. It stays in the process and thread that made it.
import { CompileCache } from '../dialect/compile-cache.ts';
import type { Dialect } from '../dialect/dialect.ts';
import type { ConnectOptions, DriverConnection, Sink } from '../driver/driver.ts';
import {
  type AthanorError,
  NOT_TRANSFERABLE,
  type TransferGuard,
  transferGuard,
  UnsupportedError,
} from '../errors/index.ts';
import type { Permits } from '../pool/permits.ts';
import { Pool, type PoolCloseOptions } from '../pool/pool.ts';
import type { PoolSettings } from '../pool/pool-options.ts';
import type { PoolStatus } from '../pool/pool-status.ts';
import type { ListenOptions as ListenerOptions, Unsubscribe } from '../primitives/listeners.ts';
import type { SchemaBind, SchemaChange, SchemaOptions } from '../schema/metadata.ts';
import { applySchema } from './apply-schema.ts';
import { Connection } from './connection.ts';
import { ConnectionExecutor, type ExecutorOptions, type ExecutorSource } from './connection-executor.ts';
import type { EngineEvents } from './events/engine-events.ts';
import { engineFacts } from './events/engine-facts.ts';
import { EngineWatch } from './events/engine-watch.ts';
import { type EngineEventName, EventHub, everyEngine, type EventSubscriptions } from './events/event-hub.ts';
import { forgetEngine, registerEngine } from './events/live-engines.ts';
import { joinLinter } from './events/join-linter.ts';
import type { Logger } from './events/logger.ts';
import type { Executor, WaitOptions } from './executor.ts';
import { debugPool } from './pool-debug.ts';
import { Listener, type ListenOptions } from './notify/listener.ts';
import { type ExecutionOptions, layered } from './options/execution-options.ts';
import { joinedTags } from './options/query-tags.ts';
import { outcomeSql, resolvedOutcome, type TransactionOutcome } from './outcome/outcome.ts';
import { RawStatements } from './raw-statement.ts';
import { type RetryOptions, retried } from './retry.ts';
import type { Transaction } from './transaction.ts';
import { plainStatement, type TransactionOptions, TransactionTexts } from './transaction-texts.ts';
import { type Echo, tracerFor } from './tracer.ts';

/** What sits between an engine and its server, by how it gives out its connections. */
export type Pooler = 'session' | 'transaction';

export interface EngineOptions {
  readonly dialect: Dialect;
  /** Who says how many connections may be open. */
  readonly permits: Permits;
  /** The database's address, without secrets: for messages and inspection. */
  readonly url: string;
  readonly pool?: PoolSettings | undefined;
  /** Prints each statement. */
  readonly echo?: Echo | undefined;
  /** Prints what happens to connections. */
  readonly echoPool?: boolean | undefined;
  /** Gets what would be printed, and warnings. */
  readonly logger?: Logger | undefined;
  /** What lines about this engine begin with. */
  readonly logName?: string | undefined;
  /** Whether a query is warned of that joins its tables by nothing. Default true. */
  readonly lintJoins?: boolean | undefined;
  /** How transactions begin unless told otherwise. */
  readonly transaction?: TransactionOptions | undefined;
  /** How statements run unless told otherwise. */
  readonly executionOptions?: ExecutionOptions | undefined;
  /** What sits before the server; its driver refuses by name what would break there. */
  readonly pooler?: Pooler | undefined;
  /** How many statement texts are kept. Default 500. */
  readonly cacheSize?: number | undefined;
  /** Ends what belongs to the engine, after its connections are closed. */
  readonly onClose?: (() => Promise<void>) | undefined;
}

/** How to begin, how statements run in it, and how long all of it may take. */
export interface BeginOptions extends ExecutionOptions, WaitOptions {}

/** What `engine.health()` found. */
export interface EngineHealth {
  readonly ok: boolean;
  /** How long the database took to answer, a wait for a connection included, in ms. */
  readonly latency: number | undefined;
  /** Why there was no answer. */
  readonly error: AthanorError | undefined;
  readonly pool: PoolStatus;
}

/** What an engine made of another has from that one. @internal */
interface EngineShared {
  readonly source: ExecutorSource;
  readonly raw: RawStatements;
  readonly listeners: Set<Listener>;
}

const PING = plainStatement('select 1', true);
const NOTHING: Sink = Object.freeze({ row: () => undefined });

const GUARD = transferGuard(
  'An engine',
  'Send its URL, or let the process there make its own with createEngine(): both share one budget.',
);

/** A database, as one thread of one process works with it. */
export class Engine implements SchemaBind {
  readonly [NOT_TRANSFERABLE]: TransferGuard = GUARD;
  readonly #source: ExecutorSource;
  readonly #raw: RawStatements;
  readonly #options: EngineOptions;
  readonly #execution: ExecutionOptions;
  /** One set for an engine and those made of it. */
  readonly #listeners: Set<Listener>;

  constructor(options: EngineOptions, shared?: EngineShared) {
    this.#options = options;
    this.#execution = layered(layered({}, options.transaction ?? {}), options.executionOptions ?? {});
    this.#listeners = shared?.listeners ?? new Set();
    this.#raw = shared?.raw ?? new RawStatements();
    this.#source = shared?.source ?? Engine.#open(options);
    if (shared === undefined) registerEngine(this, this.#source);
  }

  static #open(options: EngineOptions): ExecutorSource {
    const { dialect, permits } = options;
    const texts = new TransactionTexts(dialect);
    const open = async (asked: ConnectOptions): Promise<DriverConnection> => {
      try {
        return await dialect.driver.connect(asked);
      } catch (error) {
        throw dialect.translate(error);
      }
    };
    const watch = new EngineWatch({
      facts: engineFacts(dialect, options.url, options.logName),
      hub: new EventHub(everyEngine, options.logger),
      tracer: tracerFor({ ...options, name: options.logName, caching: options.cacheSize !== 0 }),
      invalidate: () => pool.invalidate(),
    });
    const pool = new Pool({
      ...options.pool,
      permits,
      statements: { ping: plainStatement('select 1'), rollback: texts.rollback, commit: texts.commit },
      connect: (permit, wait) => watch.connect({ ...wait, applicationName: permit.applicationName }, open),
    });
    const compiled = new CompileCache(dialect.sql, options.cacheSize, joinLinter(options));
    debugPool(pool, options);
    return { dialect, compiled, pool, texts, watch };
  }

  /** The options its statements and transactions run with unless told otherwise. */
  getExecutionOptions(): ExecutionOptions {
    return this.#execution;
  }

  /** An engine on the same pool and cache whose statements and transactions run with these options over those of this one. */
  executionOptions(options: ExecutionOptions): Engine {
    const executionOptions = layered(this.#execution, options);
    return new Engine(
      { ...this.#options, transaction: undefined, executionOptions },
      { source: this.#source, raw: this.#raw, listeners: this.#listeners },
    );
  }

  /**
   * Listens to what happens on this engine and its connections; `onEngine` listens to all engines. Gives the function
   * that ends it. Throws `ATH_USAGE` for an event that there is not.
   *
   * ```ts
   * const off = engine.on('afterExecute', ({ sql, duration }) => console.log(sql, duration), { once: true });
   * ```
   */
  on<Name extends EngineEventName>(name: Name, listener: EngineEvents[Name], options?: ListenerOptions): Unsubscribe {
    return this.#source.watch.hub.on(name, listener, options);
  }

  /** Its listeners: to ask whether one is there, and to end what was subscribed elsewhere. */
  get events(): EventSubscriptions {
    return this.#source.watch.hub;
  }

  get dialect(): Dialect {
    return this.#source.dialect;
  }

  /** The address without secrets. */
  get url(): string {
    return this.#options.url;
  }

  get pool(): Pool {
    return this.#source.pool;
  }

  /** The pool in figures. */
  get status(): PoolStatus {
    return this.#source.pool.status;
  }

  /**
   * Checks a connection out until its `close()`. The first statement begins a transaction. Rejects with `ATH_POOL_TIMEOUT`,
   * `ATH_NESTED_CHECKOUT`, `ATH_CANCELLED`, `ATH_POOL_CLOSED`, or with what opening a connection met.
   */
  async connect(options: BeginOptions = {}): Promise<Connection> {
    const { signal, timeout, ...begin } = options;
    const site = this.pool.callSite(Engine.prototype.connect, { frames: 2, scoped: false });
    const executor = this.#executor({ ...begin, site, keep: true });
    if (executor.openNow({ signal }) === undefined) await executor.open({ signal, timeout });
    return new Connection(executor, this.#raw);
  }

  /**
   * Runs `work` in a transaction: commit when it returns, rollback when it throws, the connection given back in any
   * case. Without a function it gives the transaction, which gives the connection back when it ends.
   */
  begin(options?: BeginOptions): Promise<Transaction<Connection>>;
  begin<T>(work: (connection: Connection) => Promise<T>, options?: BeginOptions): Promise<T>;
  async begin<T>(
    work?: BeginOptions | ((connection: Connection) => Promise<T>),
    options: BeginOptions = {},
  ): Promise<T | Transaction<Connection>> {
    const scoped = typeof work === 'function';
    const site = this.pool.callSite(Engine.prototype.begin, { frames: 2, scoped });
    const executor = this.#executor({ ...(scoped ? options : work), site });
    const connection = new Connection(executor, this.#raw);
    if (!scoped) return connection.begin();
    try {
      return await connection.begin(() => work(connection));
    } finally {
      await connection.close();
    }
  }

  /**
   * As `begin(work)`, and runs the whole of it again where that may help: after serialization failures and deadlocks, and
   * where a connection had gone before a statement was sent. `work` must be free of effects beside the database, or bear their repetition.
   */
  transaction<T>(work: (connection: Connection) => Promise<T>, options: BeginOptions & RetryOptions = {}): Promise<T> {
    const { timeout, ...begin } = options;
    const until = timeout === undefined ? undefined : this.#source.pool.now() + timeout;
    return retried(() => {
      const left = until === undefined ? undefined : until - this.#source.pool.now();
      return this.begin(work, { ...begin, timeout: left });
    }, options);
  }

  /** What a session works on: it takes a connection when it needs one and gives it back with each commit. */
  executor(options: BeginOptions = {}): Executor {
    const site = this.pool.callSite(Engine.prototype.executor, { frames: 6, scoped: true });
    return this.#executor({ ...options, site });
  }

  /**
   * What others announce on a channel, as an iterator; on a connection of its own, within the budget. When that is lost it
   * takes another one and yields `{ gap: true }`: what was announced meanwhile is not to be had. Throws `ATH_UNSUPPORTED` where
   * the database, the driver or a pooler has no such thing.
   */
  listen(channels: string | readonly string[], options: ListenOptions = {}): Listener {
    if (this.#options.pooler === 'transaction') {
      throw new UnsupportedError('LISTEN does not work through a pooler in transaction mode.', {
        hint: 'Listen with an engine that goes to the server itself.',
      });
    }
    const site = this.pool.callSite(Engine.prototype.listen, { frames: 2, scoped: false });
    const listener = new Listener(
      { ...this.#source, site },
      typeof channels === 'string' ? [channels] : channels,
      options,
    );
    this.#listeners.add(listener);
    void listener.ended.then(() => this.#listeners.delete(listener));
    return listener;
  }

  /**
   * What became of the transaction whose commit rejected with `ATH_COMMIT_OUTCOME_UNKNOWN`, once the server knows:
   * it was tracked by `{ trackOutcome: true }`. Rejects with `ATH_USAGE` where it was not, with `ATH_TIMEOUT` where it is still
   * under way after `timeout` ms, by default 10000, and with what keeps the server from being asked.
   */
  resolveOutcome(error: unknown, options: WaitOptions = {}): Promise<TransactionOutcome> {
    const { status } = outcomeSql(this.dialect.transactions.outcome);
    const autocommit = this.executionOptions({ isolation: 'autocommit', trackOutcome: false });
    const ask = async (transactionId: string, wait: WaitOptions): Promise<string | null> => {
      const connection = await autocommit.connect(wait);
      try {
        return (await connection.raw(status, [transactionId], wait).scalar()) as string | null;
      } finally {
        await connection.close();
      }
    };
    return resolvedOutcome(error, { ...options, ask });
  }

  /** Asks the database for a sign of life, and gives the time it took in ms, the wait for a connection included. */
  async ping(options: WaitOptions = {}): Promise<number> {
    const begun = this.pool.now();
    const executor = this.#executor({ ...options, isolation: 'autocommit', trackOutcome: false });
    try {
      await executor.submit([PING], NOTHING, options);
    } finally {
      await executor.close();
    }
    return this.pool.now() - begun;
  }

  /** As `ping()`, with the state of the pool beside it; never rejects. Without a `timeout` it waits 1000 ms. */
  async health(options: WaitOptions = {}): Promise<EngineHealth> {
    try {
      const latency = await this.ping({ timeout: 1_000, ...options });
      return { ok: true, latency, error: undefined, pool: this.status };
    } catch (error) {
      return { ok: false, latency: undefined, error: this.dialect.translate(error), pool: this.status };
    }
  }

  /** Creates or drops tables, in one transaction where the database can, one process at a time. */
  async applySchema(change: SchemaChange, options: SchemaOptions = {}): Promise<void> {
    const transactional = this.dialect.capabilities.transactionalDdl;
    const executor = this.#executor({ isolation: transactional ? undefined : 'autocommit' });
    try {
      await applySchema(executor, change, options);
      await executor.commit(options);
    } finally {
      await executor.close();
    }
  }

  /** Replaces all connections that are open now: idle ones at once, the others when they come back. */
  invalidate(): void {
    this.#source.pool.invalidate();
  }

  /** Closes the connections; those in use when they come back. The engine stays usable and opens new ones. */
  async dispose(): Promise<void> {
    await this.#source.pool.dispose();
    this.#source.watch.hub.tell('engineDisposed', { engine: this.#source.watch.facts, how: 'dispose' });
  }

  /** Ends the engine. Connections in use get `timeout` ms, by default 5000, to come back. */
  async close(options: PoolCloseOptions = {}): Promise<void> {
    await Promise.all([...this.#listeners].map((listener) => listener.close()));
    await this.#source.pool.close(options);
    await this.#options.onClose?.();
    forgetEngine(this);
    this.#source.watch.hub.tell('engineDisposed', { engine: this.#source.watch.facts, how: 'close' });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #executor(options: ExecutorOptions): ConnectionExecutor {
    const { tags } = this.#execution;
    const joined = tags === undefined || options.tags === undefined ? {} : { tags: joinedTags(tags, options.tags) };
    return new ConnectionExecutor(this.#source, { ...this.#execution, ...withoutNothing(options), ...joined });
  }

  toJSON(): Record<string, unknown> {
    return GUARD.json({ url: this.url, pool: this.status.text });
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Engine ${this.url} (${this.status.text})`;
  }
}

/** Options that say nothing must not cover those that do. */
function withoutNothing(options: ExecutorOptions): ExecutorOptions {
  if (!Object.values(options).includes(undefined)) return options;
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as ExecutorOptions;
}
