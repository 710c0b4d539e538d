// From a PostgreSQL URL to what an engine is made of.
import { type Backend, type BackendServer, checkArgs, type ConnectArgs } from '../../dialect/backend.ts';
import type { Driver } from '../../driver/driver.ts';
import { lazyDriver } from '../../driver/lazy-driver.ts';
import type { PostgresOptions } from './driver/options.ts';
import { postgresqlDialect } from './dialect.ts';
import { ownModule } from '../../primitives/own-module.ts';
import { canonicalAddress, parsePostgresUrl, redactPostgresUrl } from './url.ts';

type MakeDriver = (options: PostgresOptions) => Driver;

async function ownDriver(): Promise<MakeDriver> {
  return (await import('./driver/index.ts')).createPostgresDriver;
}

async function pgDriver(): Promise<MakeDriver> {
  return (await import('./pg-adapter/index.ts')).createPgDriver;
}

/** A backend that has a server. */
export type ServerBackend = Backend & { readonly server: BackendServer };

/** The backend of a `postgresql://` URL. Throws `UsageError` if it cannot be read. */
export function postgresqlBackend(url: string, args?: ConnectArgs): Backend {
  return backendOver(optionsOf(url, args), redactPostgresUrl(url), ownDriver);
}

/** The backend of a `postgresql+pg://` URL: the same database, spoken to through the package `pg`. */
export function postgresqlPgBackend(url: string, args?: ConnectArgs): Backend {
  const plain = url.replace(/^(postgres(?:ql)?)\+pg:/i, '$1:');
  return backendOver(optionsOf(plain, args), redactPostgresUrl(plain), pgDriver);
}

/** The backend of a server by its options; `display` is what it is called in print. */
export function postgresqlBackendOf(options: PostgresOptions, display: string): ServerBackend {
  return backendOver(options, display, ownDriver);
}

/** What the driver may be told beside the URL; where the server is, the URL says. */
const ARGS: readonly (keyof PostgresOptions)[] = [
  'password',
  'settings',
  'applicationName',
  'connectTimeout',
  'maxMessageSize',
  'statementCacheSize',
  'requireAuth',
];

function optionsOf(url: string, args: ConnectArgs | undefined): PostgresOptions {
  checkArgs(args, ARGS);
  const parsed = parsePostgresUrl(url);
  if (args === undefined) return parsed;
  return { ...parsed, ...args, settings: { ...parsed.settings, ...(args as Partial<PostgresOptions>).settings } };
}

function backendOver(options: PostgresOptions, display: string, load: () => Promise<MakeDriver>): ServerBackend {
  const address = canonicalAddress(options);
  const driver = lazyDriver('postgresql', async () => (await load())(options));
  return Object.freeze({
    dialect: postgresqlDialect({ driver, serverAddress: address }),
    display,
    server: { address, monitor: { module: ownModule('dialects/postgresql/open-monitor').href, options } },
  });
}
