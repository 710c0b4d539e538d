// athanor/pg-pool: `Pool` with the face of `pg.Pool`, for code and libraries that are written for `pg` and are to live
// within the same connection budget as all others.
import { postgresqlBackendOf } from './dialects/postgresql/backend.ts';
import { serverFieldsOf } from './dialects/postgresql/errors.ts';
import type { PostgresOptions, SslMode } from './dialects/postgresql/driver/options.ts';
import { parsePostgresUrl } from './dialects/postgresql/url.ts';
import { plainStatement } from './engine/transaction-texts.ts';
import { UsageError } from './errors/index.ts';
import { PgPool } from './pg-pool/pg-pool.ts';
import { type CustomTypes, types } from './pg-pool/text-types.ts';
import { Pool as ConnectionPool } from './pool/pool.ts';
import type { PoolSettings } from './pool/pool-options.ts';
import { type BudgetScope, openBudget } from './process/budget.ts';
import { closeAfterJob } from './process/jobs/job-registry.ts';

export { DatabaseError } from './pg-pool/database-error.ts';
export type { ConnectCallback } from './pg-pool/pg-pool.ts';
export { escapeIdentifier, escapeLiteral, PoolClient } from './pg-pool/pool-client.ts';
export type { QueryCallback, QueryConfig } from './pg-pool/query-config.ts';
export { type FieldDef, QueryResult } from './pg-pool/query-result.ts';
export { type CustomTypes, type TypeParser, types } from './pg-pool/text-types.ts';

/** What `new Pool()` may be told: the options of `pg.Pool`, and `budget`. What is left out comes from the PG* variables. */
export interface PoolConfig {
  readonly connectionString?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly database?: string | undefined;
  readonly password?: string | (() => string | Promise<string>) | undefined;
  /** `false`: none; `true`: verified in full; `{ rejectUnauthorized: false }`: unverified. Certificates go by the URL. */
  readonly ssl?: boolean | { readonly rejectUnauthorized?: boolean | undefined } | undefined;
  /** Most connections of this pool. Default 10. */
  readonly max?: number | undefined;
  readonly min?: number | undefined;
  /** Milliseconds. Default 10000. */
  readonly idleTimeoutMillis?: number | undefined;
  /** How long a checkout may wait, in ms. Default, and for 0: 5000. */
  readonly connectionTimeoutMillis?: number | undefined;
  readonly maxLifetimeSeconds?: number | undefined;
  readonly maxUses?: number | undefined;
  /** Milliseconds. */
  readonly query_timeout?: number | undefined;
  readonly statement_timeout?: number | undefined;
  readonly lock_timeout?: number | undefined;
  readonly idle_in_transaction_session_timeout?: number | undefined;
  /** What this programme is called in messages to people; the server lists connections by their permits. */
  readonly application_name?: string | undefined;
  readonly types?: CustomTypes | undefined;
  /** Connections of all processes together, as for `createEngine`. */
  readonly budget?: BudgetConfig | number | 'auto' | undefined;
}

/** How many connections all processes together may have, and who they are. */
export interface BudgetConfig {
  readonly size?: number | 'auto' | undefined;
  readonly name?: string | undefined;
  readonly scope?: BudgetScope | undefined;
}

/**
 * A pool with the face of `pg.Pool`: `query`, `connect`, `end`, the figures and the events. Its connections are
 * athanor's and count in the budget. Nothing is opened before the first use. Throws `UsageError` (ATH_USAGE) on options
 * that are not understood.
 */
export class Pool extends PgPool {
  constructor(config: PoolConfig = {}) {
    const options = driverOptions(config);
    const backend = postgresqlBackendOf(options, 'pg-pool');
    const { server, dialect } = backend;
    const budget = typeof config.budget === 'object' ? config.budget : { size: config.budget };
    const permits = openBudget({
      server: server.address,
      monitor: server.monitor,
      application: config.application_name,
      ...budget,
    });
    const pool = new ConnectionPool({
      ...poolSettings(config),
      permits,
      statements: {
        ping: plainStatement('select 1'),
        rollback: plainStatement('ROLLBACK'),
        commit: plainStatement('COMMIT'),
      },
      connect: (permit, wait) => dialect.driver.connect({ ...wait, applicationName: permit.applicationName }),
    });
    super({
      pool,
      types: config.types ?? types,
      queryTimeout: config.query_timeout === 0 ? undefined : config.query_timeout,
      maxUses: config.maxUses ?? Number.POSITIVE_INFINITY,
      fieldsOf: serverFieldsOf,
      onEnd: async () => {
        keep();
        await permits.close();
      },
    });
    // The connections of a job's own pools must not keep its process alive once it has answered.
    const keep = closeAfterJob(() => this.end());
  }
}

function driverOptions(config: PoolConfig): PostgresOptions {
  const url = parsePostgresUrl(config.connectionString ?? 'postgresql://');
  const given = config.connectionString === undefined ? config : { password: config.password };
  const { host, port, user, database, password } = given as PoolConfig;
  const settings = Object.fromEntries(
    (['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'] as const)
      .filter((name) => config[name] !== undefined)
      .map((name) => [name, String(config[name])]),
  );
  return {
    ...url,
    hosts: host === undefined && port === undefined ? url.hosts : undefined,
    host: host ?? url.host,
    port: port ?? url.port,
    user: user ?? url.user,
    database: database ?? (user === undefined ? url.database : user),
    password: typeof password === 'string' ? () => password : (password ?? url.password),
    sslMode: sslMode(config.ssl) ?? url.sslMode,
    settings: { ...url.settings, ...settings },
  };
}

function sslMode(ssl: PoolConfig['ssl']): SslMode | undefined {
  if (ssl === undefined) return undefined;
  if (typeof ssl === 'boolean') return ssl ? 'verify-full' : 'disable';
  const unknown = Object.keys(ssl).filter((name) => name !== 'rejectUnauthorized');
  if (unknown.length === 0) return ssl.rejectUnauthorized === false ? 'require' : 'verify-full';
  throw new UsageError(`The pool does not know the ssl option ${unknown.join(', ')}.`, {
    hint: 'Certificates are named in the URL: sslrootcert, sslcert, sslkey.',
  });
}

function poolSettings(config: PoolConfig): PoolSettings {
  const { max = 10, min, idleTimeoutMillis, connectionTimeoutMillis, maxLifetimeSeconds } = config;
  return {
    max,
    min,
    idleTimeout: idleTimeoutMillis === 0 ? Number.POSITIVE_INFINITY : idleTimeoutMillis,
    acquireTimeout: connectionTimeoutMillis === 0 ? undefined : connectionTimeoutMillis,
    maxLifetime: maxLifetimeSeconds === undefined || maxLifetimeSeconds === 0 ? undefined : maxLifetimeSeconds * 1000,
  };
}
