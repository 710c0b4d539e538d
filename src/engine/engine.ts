// Where a program's work with one database begins: it owns the pool and the cache of compiled statements, and hands
// out connections, transactions and executors. It stays in the process and thread that made it.
import { CompileCache } from '../dialect/compile-cache.ts';
import type { Dialect } from '../dialect/dialect.ts';
import { NOT_TRANSFERABLE, type TransferGuard, transferGuard } from '../errors/index.ts';
import type { Permits } from '../pool/permits.ts';
import { Pool, type PoolCloseOptions } from '../pool/pool.ts';
import type { PoolSettings } from '../pool/pool-options.ts';
import type { PoolStatus } from '../pool/pool-status.ts';
import { debugWriter } from '../primitives/debug.ts';
import type { SchemaBind, SchemaChange, SchemaOptions } from '../schema/metadata.ts';
import { applySchema } from './apply-schema.ts';
import { Connection } from './connection.ts';
import { ConnectionExecutor, type ExecutorOptions, type ExecutorSource } from './connection-executor.ts';
import type { Executor, WaitOptions } from './executor.ts';
import { debugPool } from './pool-debug.ts';
import { RawStatements } from './raw-statement.ts';
import { type RetryOptions, retried } from './retry.ts';
import type { Transaction } from './transaction.ts';
import { plainStatement, type TransactionOptions, TransactionTexts } from './transaction-texts.ts';
import { type Echo, tracerFor } from './tracer.ts';

export interface EngineOptions {
  readonly dialect: Dialect;
  /** Who says how many connections may be open. */
  readonly permits: Permits;
  /** The database's address, without secrets: for messages and inspection. */
  readonly url: string;
  readonly pool?: PoolSettings | undefined;
  /** Prints each statement. */
  readonly echo?: Echo | undefined;
  /** How transactions begin unless told otherwise. */
  readonly transaction?: TransactionOptions | undefined;
  /** How many statement texts are kept. Default 500. */
  readonly cacheSize?: number | undefined;
  /** Ends what belongs to the engine, after its connections are closed. */
  readonly onClose?: (() => Promise<void>) | undefined;
}

/** How to begin, and how long all of it may take. */
export interface BeginOptions extends TransactionOptions, WaitOptions {}

const GUARD = transferGuard(
  'An engine',
  'Send its URL, or let the process there make its own with createEngine(): both share one budget.',
);

/** A database, as one thread of one process works with it. */
export class Engine implements SchemaBind {
  readonly [NOT_TRANSFERABLE]: TransferGuard = GUARD;
  readonly #source: ExecutorSource;
  readonly #raw = new RawStatements();
  readonly #options: EngineOptions;

  constructor(options: EngineOptions) {
    const { dialect, permits } = options;
    const texts = new TransactionTexts(dialect);
    const pool = new Pool({
      ...options.pool,
      permits,
      statements: { ping: plainStatement('select 1'), rollback: texts.rollback, commit: texts.commit },
      connect: async (permit, wait) => {
        try {
          return await dialect.driver.connect({ ...wait, applicationName: permit.applicationName });
        } catch (error) {
          throw dialect.translate(error);
        }
      },
    });
    const compiled = new CompileCache(dialect.sql, options.cacheSize);
    this.#options = options;
    this.#source = { dialect, compiled, pool, texts, tracer: tracerFor(options.echo) };
    const debug = debugWriter('pool');
    if (debug !== undefined) debugPool(pool, debug);
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
   * As `begin(work)`, and runs the whole of it again where the database says that this may help: serialization failures
   * and deadlocks. `work` must be free of effects beside the database, or bear their repetition.
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
  }

  /** Ends the engine. Connections in use get `timeout` ms, by default 5000, to come back. */
  async close(options: PoolCloseOptions = {}): Promise<void> {
    await this.#source.pool.close(options);
    await this.#options.onClose?.();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #executor(options: ExecutorOptions): ConnectionExecutor {
    return new ConnectionExecutor(this.#source, { ...this.#options.transaction, ...options });
  }

  toJSON(): Record<string, unknown> {
    return GUARD.json({ url: this.url, pool: this.status.text });
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Engine ${this.url} (${this.status.text})`;
  }
}
