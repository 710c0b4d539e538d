// From a SQLite URL to what an engine is made of. There is no server, so there are no connections to share out.
import { type Backend, checkArgs, type ConnectArgs } from '../../dialect/backend.ts';
import { lazyDriver } from '../../driver/lazy-driver.ts';
import { sqliteDialect } from './dialect.ts';
import { parseSqliteUrl, type SqliteLocation } from './url.ts';

/** The backend of a `sqlite:` URL. Throws `UsageError` if it cannot be read. */
export function sqliteBackend(url: string, args?: ConnectArgs): Backend {
  checkArgs(args, ['busyTimeout', 'readOnly']);
  const location: SqliteLocation = { ...parseSqliteUrl(url), ...args };
  const driver = lazyDriver('sqlite', async () => {
    const { createSqliteDriver } = await import('./driver/sqlite-driver.ts');
    return createSqliteDriver(location);
  });
  return Object.freeze({ dialect: sqliteDialect({ driver }), display: url, singleConnection: location.memory });
}
