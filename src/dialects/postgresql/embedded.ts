// `embedded:./data`: a PostgreSQL server that lives in a folder, started by the first process that needs it, joined by
// the others, and ended when none is left. The launcher is a package of its own, so that nobody who has a server
// carries one.
import path from 'node:path';
import { type Backend, checkArgs, type ConnectArgs } from '../../dialect/backend.ts';
import type { ConnectOptions, Driver, DriverConnection } from '../../driver/driver.ts';
import type { ServerMonitor } from '../../driver/monitor.ts';
import { ConnectError, UsageError } from '../../errors/index.ts';
import { ownModule } from '../../primitives/own-module.ts';
import { postgresqlDialect } from './dialect.ts';
import type { PostgresDriver } from './driver/index.ts';
import { createPostgresMonitor } from './monitor.ts';
import { parsePostgresUrl } from './url.ts';

const PACKAGE = '@athanor/embedded';

/** What is used of the launcher's server. */
interface HeldServer {
  readonly url: string;
  readonly isHeld: boolean;
  release(): Promise<void>;
}

interface Launcher {
  start(options: { readonly dataFolder: string; readonly signal?: AbortSignal | undefined }): Promise<HeldServer>;
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

interface Hold {
  readonly server: HeldServer;
  readonly driver: PostgresDriver;
}

/** Connects to the server of a folder, which it holds from the first connection until `release`. */
class EmbeddedDriver implements Driver {
  readonly name = 'postgresql';
  readonly #dataFolder: string;
  #hold: Promise<Hold> | undefined;

  constructor(dataFolder: string) {
    this.#dataFolder = dataFolder;
  }

  async connect(options?: ConnectOptions): Promise<DriverConnection> {
    const { driver } = await this.#held(options?.signal);
    return driver.connect(options);
  }

  async release(): Promise<void> {
    const hold = this.#hold;
    this.#hold = undefined;
    // A start that failed has told whoever asked for it, and there is nothing to give back.
    const held = await hold?.catch(() => undefined);
    await held?.server.release();
  }

  /** Somebody may have stopped the server since: then it is started again. */
  async #held(signal: AbortSignal | undefined): Promise<Hold> {
    const before = this.#hold;
    if (before !== undefined && (await before).server.isHeld) return before;
    if (this.#hold === before) {
      this.#hold = this.#start(signal);
      this.#hold.catch(() => {
        this.#hold = undefined;
      });
    }
    return this.#held(signal);
  }

  async #start(signal: AbortSignal | undefined): Promise<Hold> {
    const { start } = await launcher();
    const { createPostgresDriver } = await import('./driver/index.ts');
    try {
      const server = await start({ dataFolder: this.#dataFolder, ...(signal === undefined ? {} : { signal }) });
      return { server, driver: createPostgresDriver(parsePostgresUrl(server.url, {})) };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new ConnectError(message, { cause: error, outcome: 'not-sent' });
    }
  }
}

/** What a broker's thread calls: the same folder, joined from there. */
export function openMonitor({ dataFolder }: { readonly dataFolder: string }): ServerMonitor {
  const driver = new EmbeddedDriver(dataFolder);
  const monitor = createPostgresMonitor(driver);
  return {
    limits: (ours) => monitor.limits(ours),
    alive: (sessions) => monitor.alive(sessions),
    sessions: (prefix) => monitor.sessions(prefix),
    terminate: (session) => monitor.terminate(session),
    async close() {
      await monitor.close();
      await driver.release();
    },
  };
}

/** The backend of an `embedded:` URL: the folder is relative to the working folder. Throws `UsageError` if it names none. */
export function embeddedBackend(url: string, args?: ConnectArgs): Backend {
  checkArgs(args, []);
  const folder = decodeURIComponent(url.slice('embedded:'.length).replace(/^\/\/(?=\/)/, ''));
  if (folder === '') {
    throw new UsageError('The URL embedded: names no folder.', {
      hint: "For example: createEngine('embedded:./data')",
    });
  }
  const dataFolder = path.resolve(folder);
  const address = `embedded:${dataFolder}`;
  const driver = new EmbeddedDriver(dataFolder);
  return Object.freeze({
    dialect: postgresqlDialect({ driver, serverAddress: address }),
    display: `embedded:${folder}`,
    server: { address, monitor: { module: ownModule('dialects/postgresql/embedded').href, options: { dataFolder } } },
    release: () => driver.release(),
  });
}
