// From a PostgreSQL URL to what an engine is made of.
import { type Backend, checkArgs, type ConnectArgs } from '../../dialect/backend.ts';
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

/** The backend of a `postgresql://` URL. Throws `UsageError` if it cannot be read. */
export function postgresqlBackend(url: string, args?: ConnectArgs): Backend {
  return backendOver(url, args, ownDriver);
}

/** The backend of a `postgresql+pg://` URL: the same database, spoken to through the package `pg`. */
export function postgresqlPgBackend(url: string, args?: ConnectArgs): Backend {
  return backendOver(url.replace(/^(postgres(?:ql)?)\+pg:/i, '$1:'), args, pgDriver);
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

function backendOver(url: string, args: ConnectArgs | undefined, load: () => Promise<MakeDriver>): Backend {
  checkArgs(args, ARGS);
  const parsed = parsePostgresUrl(url);
  const settings = { ...parsed.settings, ...(args as PostgresOptions | undefined)?.settings };
  const options: PostgresOptions = args === undefined ? parsed : { ...parsed, ...args, settings };
  const address = canonicalAddress(options);
  const driver = lazyDriver('postgresql', async () => (await load())(options));
  return Object.freeze({
    dialect: postgresqlDialect({ driver, serverAddress: address }),
    display: redactPostgresUrl(url),
    server: { address, monitor: { module: ownModule('dialects/postgresql/open-monitor').href, options } },
  });
}
