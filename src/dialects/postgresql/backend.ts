// From a PostgreSQL URL to what an engine is made of.
import type { Backend } from '../../dialect/backend.ts';
import { lazyDriver } from '../../driver/lazy-driver.ts';
import { postgresqlDialect } from './dialect.ts';
import { ownModule } from '../../primitives/own-module.ts';
import { canonicalAddress, parsePostgresUrl, redactPostgresUrl } from './url.ts';

/** The backend of a `postgresql://` URL. Throws `UsageError` if it cannot be read. */
export function postgresqlBackend(url: string): Backend {
  const options = parsePostgresUrl(url);
  const address = canonicalAddress(options);
  const driver = lazyDriver('postgresql', async () => {
    const { createPostgresDriver } = await import('./driver/index.ts');
    return createPostgresDriver(options);
  });
  return Object.freeze({
    dialect: postgresqlDialect({ driver, serverAddress: address }),
    display: redactPostgresUrl(url),
    server: { address, monitor: { module: ownModule('dialects/postgresql/open-monitor').href, options } },
  });
}
