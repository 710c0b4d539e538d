// `embedded:./data`: a PostgreSQL server that lives in a folder, started by the first process that needs it and joined
// by the others. The launcher is a package of its own, so that nobody who has a server carries one.
import path from 'node:path';
import type { Backend } from '../../dialect/backend.ts';
import { lazyDriver } from '../../driver/lazy-driver.ts';
import type { ServerMonitor } from '../../driver/monitor.ts';
import { ConnectError, UsageError } from '../../errors/index.ts';
import { postgresqlDialect } from './dialect.ts';
import { createPostgresDriver, type PostgresDriver } from './driver/index.ts';
import { createPostgresMonitor } from './monitor.ts';
import { parsePostgresUrl } from './url.ts';

const PACKAGE = '@athanor/embedded';

/** What is used of the launcher's module. */
interface Launcher {
  start(options: {
    readonly dataFolder: string;
  }): Promise<{ readonly url: string; readonly socketUrl: string | undefined }>;
}

async function launcher(): Promise<Launcher> {
  try {
    return (await import(PACKAGE)) as Launcher;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) throw error;
    throw new UsageError(`An embedded: URL needs the package ${PACKAGE}, which is not installed.`, {
      hint: `Run: npm install ${PACKAGE}`,
      cause: error,
    });
  }
}

/** Starts or joins the server of the folder; the process holds it until it ends. */
async function embeddedDriver(dataFolder: string): Promise<PostgresDriver> {
  const { start } = await launcher();
  try {
    const { url } = await start({ dataFolder });
    return createPostgresDriver(parsePostgresUrl(url, {}));
  } catch (error) {
    throw new ConnectError(error instanceof Error ? error.message : String(error), {
      cause: error,
      outcome: 'not-sent',
    });
  }
}

/** What a broker's thread calls: the same folder, joined from there. */
export function openMonitor({ dataFolder }: { readonly dataFolder: string }): ServerMonitor {
  const driver = lazyDriver('postgresql', () => embeddedDriver(dataFolder));
  return createPostgresMonitor(driver);
}

/** The backend of an `embedded:` URL: the folder is relative to the working folder. Throws `UsageError` if it names none. */
export function embeddedBackend(url: string): Backend {
  const folder = decodeURIComponent(url.slice('embedded:'.length).replace(/^\/\/(?=\/)/, ''));
  if (folder === '')
    throw new UsageError('The URL embedded: names no folder.', {
      hint: "For example: createEngine('embedded:./data')",
    });
  const dataFolder = path.resolve(folder);
  const address = `embedded:${dataFolder}`;
  const driver = lazyDriver('postgresql', () => embeddedDriver(dataFolder));
  return Object.freeze({
    dialect: postgresqlDialect({ driver, serverAddress: address }),
    display: `embedded:${folder}`,
    server: { address, monitor: { module: import.meta.url, options: { dataFolder } } },
  });
}
