// The face of `pg.Pool` on athanor's own pool: libraries written for `pg` run on it unchanged, and their connections
// count in the budget that all processes share.
import { EventEmitter } from 'node:events';
import { ConnectionLostError, NOT_TRANSFERABLE, type TransferGuard, transferGuard } from '../errors/index.ts';
import type { Pool } from '../pool/pool.ts';
import { type ErrorFields, pgError } from './database-error.ts';
import { answered, PoolClient, type ClientHome } from './pool-client.ts';
import type { QueryCallback, QueryConfig } from './query-config.ts';
import type { QueryResult } from './query-result.ts';
import type { CustomTypes } from './text-types.ts';

export interface PgPoolParts {
  readonly pool: Pool;
  readonly types: CustomTypes;
  readonly queryTimeout: number | undefined;
  /** After so many checkouts a connection is closed. */
  readonly maxUses: number;
  /** All the server said with an error, if the driver kept it. */
  fieldsOf(error: Error): ErrorFields | undefined;
  /** Ends what belongs to the pool, after its connections are closed. */
  onEnd(): Promise<void>;
}

/** How a caller without promises is given a client. */
export type ConnectCallback = (
  error: Error | undefined,
  client: PoolClient | undefined,
  release: (error?: Error | boolean) => void,
) => void;

const GUARD = transferGuard('A pool', 'Make a pool of its own in the other process: both share one budget.');

/** A pool with the methods, events and figures of `pg.Pool`. */
export class PgPool extends EventEmitter {
  readonly [NOT_TRANSFERABLE]: TransferGuard = GUARD;
  readonly #parts: PgPoolParts;
  readonly #home: ClientHome;
  readonly #clients = new Map<string, PoolClient>();
  #end: Promise<void> | undefined;

  constructor(parts: PgPoolParts) {
    super();
    this.#parts = parts;
    this.#home = {
      types: parts.types,
      queryTimeout: parts.queryTimeout,
      maxUses: parts.maxUses,
      translate: (error) => pgError(error, parts.fieldsOf),
      released: (client, error) => this.emit('release', error, client),
    };
    parts.pool.on('invalidate', ({ connectionId }, reason) => this.#lost(connectionId, reason));
    parts.pool.on('close', ({ connectionId }) => this.#closed(connectionId));
  }

  /** Connections that are open or being opened. */
  get totalCount(): number {
    const { open, connecting, connections } = this.#parts.pool.status;
    return open + connecting - connections.filter(({ state }) => state === 'checking').length;
  }

  get idleCount(): number {
    return this.#parts.pool.status.idle;
  }

  get waitingCount(): number {
    return this.#parts.pool.status.waiting;
  }

  get ended(): boolean {
    return this.#end !== undefined && this.#parts.pool.status.open === 0;
  }

  get ending(): boolean {
    return this.#end !== undefined;
  }

  /**
   * Checks a client out until its `release()`. Rejects with `ATH_POOL_TIMEOUT`, `ATH_NESTED_CHECKOUT`, `ATH_POOL_CLOSED`,
   * or with what opening a connection met.
   */
  connect(): Promise<PoolClient>;
  connect(callback: ConnectCallback): void;
  connect(callback?: ConnectCallback): Promise<PoolClient> | undefined {
    const client = this.#checkout();
    if (callback === undefined) return client;
    client.then(
      (one) => process.nextTick(callback, undefined, one, (error?: Error | boolean) => one.release(error)),
      (error: unknown) => process.nextTick(callback, error, undefined, () => {}),
    );
    return undefined;
  }

  // oxlint-disable typescript/no-explicit-any -- as the type declarations of pg have them: rows are what the caller says
  /** Runs one query on a connection of its own. */
  query<Row = any>(query: string | QueryConfig, values?: readonly unknown[]): Promise<QueryResult<Row>>;
  query(query: string | QueryConfig, callback: QueryCallback): void;
  query(query: string | QueryConfig, values: readonly unknown[], callback: QueryCallback): void;
  query(...args: readonly unknown[]): Promise<QueryResult<any>> | undefined {
    return answered(args, async ({ config }) => {
      const client = await this.#checkout();
      try {
        return await client.run(config);
      } finally {
        client.release();
      }
    });
  }
  // oxlint-enable typescript/no-explicit-any

  /** Closes the pool: clients that are out have 5 s to come back. */
  end(): Promise<void>;
  end(callback: (error?: Error) => void): void;
  end(callback?: (error?: Error) => void): Promise<void> | undefined {
    this.#end ??= this.#parts.pool.close().then(() => this.#parts.onEnd());
    if (callback === undefined) return this.#end;
    this.#end.then(
      () => process.nextTick(callback),
      (error: unknown) => process.nextTick(callback, error),
    );
    return undefined;
  }

  async #checkout(): Promise<PoolClient> {
    const lease = await this.#parts.pool.acquire().catch((error: unknown) => {
      throw pgError(error, this.#parts.fieldsOf);
    });
    let client = this.#clients.get(lease.connectionId);
    const fresh = client === undefined;
    client ??= new PoolClient(this.#home, lease.connection.identity.pid);
    if (fresh) this.#clients.set(lease.connectionId, client);
    client.lend(lease);
    try {
      if (fresh) this.emit('connect', client);
      this.emit('acquire', client);
    } catch (error) {
      // A listener's mistake must not cost a connection.
      client.release(true);
      throw error;
    }
    return client;
  }

  /** `pg` ends the process where nobody listens for this; here that is no error of the process's. */
  #lost(connectionId: string, reason: string): void {
    const client = this.#clients.get(connectionId);
    if (client === undefined || reason !== 'it was lost') return;
    const error = new ConnectionLostError('Connection terminated unexpectedly', { connectionId });
    if (client.listenerCount('error') > 0) client.emit('error', error);
    if (this.listenerCount('error') > 0) this.emit('error', error, client);
  }

  #closed(connectionId: string): void {
    const client = this.#clients.get(connectionId);
    this.#clients.delete(connectionId);
    if (client === undefined) return;
    client.emit('end');
    this.emit('remove', client);
  }

  toJSON(): Record<string, unknown> {
    return GUARD.json({ status: this.#parts.pool.status.text });
  }
}
