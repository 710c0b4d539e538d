// Where an engine is put together: the dialect by the URL's scheme, the permits by the budget, the pool over both. The
// one place, beside the entries, that knows which databases there are.
import { embeddedBackend } from './dialects/postgresql/embedded.ts';
import { postgresqlBackend, postgresqlPgBackend } from './dialects/postgresql/backend.ts';
import { sqliteBackend } from './dialects/sqlite/backend.ts';
import type { Backend, ConnectArgs, MakeBackend } from './dialect/backend.ts';
import type { Dialect } from './dialect/dialect.ts';
import type { ConnectOptions, DriverConnection } from './driver/driver.ts';
import { DatabaseUrl, makeUrl } from './engine/database-url.ts';
import { Engine, type Pooler } from './engine/engine.ts';
import type { Logger } from './engine/events/logger.ts';
import { MockEngine, type MockEngineOptions } from './engine/mock-engine.ts';
import { EXECUTION_OPTIONS, type ExecutionOptions } from './engine/options/execution-options.ts';
import type { Echo } from './engine/tracer.ts';
import type { TransactionOptions } from './engine/transaction-texts.ts';
import { AthanorError, ConnectError, UsageError } from './errors/index.ts';
import { LocalPermits } from './pool/local-permits.ts';
import type { Permits } from './pool/permits.ts';
import type { PoolSettings } from './pool/pool-options.ts';
import { type BudgetScope, openBudget } from './process/budget.ts';
import { closeAfterJob } from './process/jobs/job-registry.ts';

/** How many connections all processes together may have, and who they are. */
export interface BudgetSettings {
  /** Connections of all processes together, the broker's own included: at least 2. Default `auto`: what the server has to give. */
  readonly size?: number | 'auto' | undefined;
  /** Sets a budget apart from others on the same server. */
  readonly name?: string | undefined;
  /** Who shares it: all of this user's processes on the machine (default), this process and its descendants, or this process alone. */
  readonly scope?: BudgetScope | undefined;
}

/** What `createEngine` may be told. Anything else is refused. */
export interface CreateEngineOptions extends ExecutionOptions {
  readonly pool?: PoolSettings | undefined;
  /** A number is short for `{ size }`. */
  readonly budget?: number | 'auto' | BudgetSettings | undefined;
  /** Prints each statement, its values redacted unless `'values'`; a function gets the lines instead. */
  readonly echo?: Echo | undefined;
  /** Prints what happens to connections. */
  readonly echoPool?: boolean | undefined;
  /** Gets what `echo` and `echoPool` would print, and warnings. Anything with debug, info, warn and error: `console`, for one. */
  readonly logger?: Logger | undefined;
  /** What lines about this engine begin with, where there are several. */
  readonly logName?: string | undefined;
  /** Whether a query is warned of whose tables nothing joins. Default true. */
  readonly lintJoins?: boolean | undefined;
  /** How transactions begin unless told otherwise. */
  readonly transaction?: TransactionOptions | undefined;
  /** How many statement texts are kept. Default 500. */
  readonly cacheSize?: number | undefined;
  /** What this program is called in messages to people. */
  readonly application?: string | undefined;
  /** A pooler between the engine and the server, in this mode. What would break behind one in transaction mode is refused by name. */
  readonly pooler?: Pooler | undefined;
  /** Opens connections instead of the driver, which it is given: to say something to each new one, or to take it from elsewhere. */
  readonly creator?: ConnectionCreator | undefined;
  /** What the driver is told beside the URL, by its own names: a `password` that is a function, session `settings`... */
  readonly connectArgs?: ConnectArgs | undefined;
}

/** Opens one connection. `connect` is the driver's own way. */
export type ConnectionCreator = (
  connect: (options?: ConnectOptions) => Promise<DriverConnection>,
  options: ConnectOptions,
) => Promise<DriverConnection>;

const BACKENDS: Readonly<Record<string, MakeBackend>> = {
  postgresql: postgresqlBackend,
  postgres: postgresqlBackend,
  'postgresql+pg': postgresqlPgBackend,
  'postgres+pg': postgresqlPgBackend,
  sqlite: sqliteBackend,
  embedded: embeddedBackend,
};

const OPTIONS: readonly (keyof CreateEngineOptions)[] = [
  'pool',
  'budget',
  'echo',
  'echoPool',
  'logger',
  'logName',
  'lintJoins',
  'transaction',
  'cacheSize',
  'application',
  'pooler',
  'creator',
  'connectArgs',
  ...EXECUTION_OPTIONS,
];
const BUDGET_OPTIONS: readonly (keyof BudgetSettings)[] = ['size', 'name', 'scope'];

/** Connections one engine opens unless told otherwise, however large the budget. */
const POOL_MAX = 10;
/** A database that lives in its one connection must not lose it. */
const ONE_FOR_EVER: PoolSettings = { max: 1, min: 1, maxLifetime: Number.MAX_SAFE_INTEGER };

/**
 * Makes the engine of a database. Nothing is opened before the first use.
 *
 * URLs: `postgresql://user:password@host/database`, `postgresql+pg://` for the same through the package `pg`, `embedded:./folder` (a PostgreSQL server of its own, with the package
 * `@athanor/embedded`), `sqlite:./file`, `sqlite::memory:`.
 *
 * All engines of this user on this machine that name the same server share one connection budget, whichever process
 * they are in. Throws `UsageError` (ATH_USAGE) on a URL or option that is not understood.
 *
 * ```ts
 * const engine = createEngine('embedded:./data');
 * ```
 */
export function createEngine(url: string | DatabaseUrl, options: CreateEngineOptions = {}): Engine {
  refuseUnknown(options, OPTIONS, 'createEngine');
  const { creator } = options;
  const { text, pooler } = pooled(
    url instanceof DatabaseUrl ? url.render({ hidePassword: false }) : url,
    options.pooler,
  );
  const backend = backendOf(text, options.connectArgs);
  const permits = permitsFor(backend, options);
  const single = backend.singleConnection === true ? ONE_FOR_EVER : undefined;
  const engine = new Engine({
    dialect: creator === undefined ? backend.dialect : createdBy(creator, backend.dialect),
    permits,
    url: backend.display,
    pool: { ...(options.pool?.preset === undefined ? { max: POOL_MAX } : undefined), ...options.pool, ...single },
    echo: options.echo,
    echoPool: options.echoPool,
    logger: options.logger,
    logName: options.logName,
    lintJoins: options.lintJoins,
    transaction: options.transaction,
    executionOptions: Object.fromEntries(EXECUTION_OPTIONS.map((name) => [name, options[name]])),
    pooler,
    cacheSize: options.cacheSize,
    onClose: async () => {
      keep();
      await permits.close();
      await backend.release?.();
    },
  });
  // The connections of a job's own engines must not keep its process alive once it has answered.
  const keep = closeAfterJob(() => engine.close());
  return engine;
}

/** Captures what `metadata.createAll()` would do to the database of this URL; nothing is connected to. Throws as `createEngine`. */
export function createMockEngine(url: string | DatabaseUrl, options: MockEngineOptions = {}): MockEngine {
  refuseUnknown(options, ['write', 'schemaTranslateMap'], 'createMockEngine');
  return new MockEngine(backendOf(makeUrl(url).render({ hidePassword: false })).dialect, options);
}

interface Pooled {
  readonly text: string;
  readonly pooler: Pooler | undefined;
}

/** A pooler may be named by the option or in the URL; driver and engine must both know. */
function pooled(url: string, option: Pooler | undefined): Pooled {
  if (typeof url !== 'string') return { text: url, pooler: option };
  const named = /[?&]pooler=(session|transaction)(?:&|$)/.exec(url)?.[1] as Pooler | undefined;
  if (option === undefined) return { text: url, pooler: named };
  if (option !== 'session' && option !== 'transaction') {
    throw new UsageError("The option pooler is 'session' or 'transaction'.");
  }
  if (named !== undefined && named !== option) throw new UsageError('The URL names another pooler than the options.');
  const text = named === undefined ? `${url}${url.includes('?') ? '&' : '?'}pooler=${option}` : url;
  return { text, pooler: option };
}

function createdBy(creator: ConnectionCreator, dialect: Dialect): Dialect {
  const { driver } = dialect;
  const connect = async (options: ConnectOptions = {}): Promise<DriverConnection> => {
    try {
      return await creator((given) => driver.connect({ ...options, ...given }), options);
    } catch (error) {
      if (error instanceof AthanorError) throw error;
      throw new ConnectError(`The engine's creator failed: ${String(error)}`, { cause: error, outcome: 'not-sent' });
    }
  };
  return Object.freeze({ ...dialect, driver: Object.freeze({ name: driver.name, connect }) });
}

function backendOf(url: unknown, args?: ConnectArgs): Backend {
  if (typeof url !== 'string' || url === '') {
    throw new UsageError('createEngine needs a database URL.', {
      hint: "For example: createEngine('embedded:./data')",
    });
  }
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase();
  const backend = scheme === undefined ? undefined : Object.hasOwn(BACKENDS, scheme) ? BACKENDS[scheme] : undefined;
  if (backend !== undefined) return backend(url, args);
  // Nothing of the URL but its scheme is quoted: it may hold a password.
  throw new UsageError(
    scheme === undefined ? 'The database URL has no scheme.' : `No database is known for the URL scheme ${scheme}:.`,
    {
      hint: `Known are ${Object.keys(BACKENDS)
        .map((name) => `${name}:`)
        .join(', ')}.`,
    },
  );
}

function permitsFor(backend: Backend, { budget = 'auto', application }: CreateEngineOptions): Permits {
  const settings: BudgetSettings = typeof budget === 'object' ? budget : { size: budget };
  refuseUnknown(settings, BUDGET_OPTIONS, 'budget');
  const { server } = backend;
  if (server === undefined)
    return new LocalPermits({ max: typeof settings.size === 'number' ? settings.size : POOL_MAX });
  return openBudget({ server: server.address, monitor: server.monitor, application, ...settings });
}

function refuseUnknown(given: object, known: readonly string[], where: string): void {
  const unknown = Object.keys(given).filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  throw new UsageError(`${where} does not know the option ${unknown.join(', ')}.`, {
    hint: `It knows ${known.join(', ')}.`,
  });
}
