// Opens SQLite databases through `node:sqlite`, set up the way athanor promises: foreign keys on, waiting for locks
// instead of failing at once, and write-ahead logging, so that readers and a writer in many processes do not stop
// each other.
import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseSync } from 'node:sqlite';
import type { ConnectOptions, Driver } from '../../../driver/driver.ts';
import {
  type AthanorError,
  CancelledError,
  ConnectError,
  LockTimeoutError,
  StateError,
} from '../../../errors/index.ts';
import { translateSqliteError } from '../errors.ts';
import type { SqliteLocation } from '../url.ts';
import { loadSqlite } from './load-sqlite.ts';
import { SqliteConnection } from './sqlite-connection.ts';

const CONNECT_TIMEOUT = 10_000;
/** Between two tries to turn write-ahead logging on, in milliseconds. */
const RETRY_PAUSE = 10;

/** A driver for the database at `location`. Connecting throws `ATH_UNSUPPORTED` on a Node without `node:sqlite`. */
export function createSqliteDriver(location: SqliteLocation): Driver {
  return new SqliteDriver(location);
}

class SqliteDriver implements Driver {
  readonly name = 'node:sqlite';
  readonly #location: SqliteLocation;
  /** The open connection of a database in memory, of which there can be one. */
  #only: SqliteConnection | undefined;

  constructor(location: SqliteLocation) {
    this.#location = location;
  }

  async connect({ signal, timeout = CONNECT_TIMEOUT }: ConnectOptions = {}): Promise<SqliteConnection> {
    const deadline = performance.now() + timeout;
    const { DatabaseSync: Database } = await loadSqlite();
    throwIfAborted(signal);
    if (!this.#location.memory) return new SqliteConnection(await this.#open(Database, deadline, signal));
    if (this.#only !== undefined && this.#only.status !== 'closed') {
      throw new StateError('A database in memory has one connection, and it is open.', {
        hint: 'A second one would see another, empty database: use a pool of one, or a file.',
      });
    }
    this.#only = new SqliteConnection(await this.#open(Database, deadline, signal));
    return this.#only;
  }

  async #open(Database: typeof DatabaseSync, deadline: number, signal: AbortSignal | undefined): Promise<DatabaseSync> {
    const { path, readOnly, busyTimeout, memory } = this.#location;
    let database: DatabaseSync | undefined;
    try {
      database = new Database(path, { readOnly, timeout: busyTimeout, enableForeignKeyConstraints: true });
      // A file is first read here: one that is no database is found out now.
      const { journal_mode: mode } = database.prepare('PRAGMA journal_mode').get() ?? {};
      if (!memory && !readOnly && mode !== 'wal') await logAhead(database, deadline, signal);
      return database;
    } catch (error) {
      database?.close();
      throw connectError(translateSqliteError(error), path);
    }
  }
}

/** Many processes may open a new file at once; SQLite lets one change the mode and answers the others BUSY without waiting. */
async function logAhead(database: DatabaseSync, deadline: number, signal: AbortSignal | undefined): Promise<void> {
  for (;;) {
    try {
      database.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      const translated = translateSqliteError(error);
      if (!(translated instanceof LockTimeoutError) || performance.now() >= deadline) throw translated;
    }
    await sleep(RETRY_PAUSE);
    throwIfAborted(signal);
  }
}

function connectError(error: AthanorError, path: string): AthanorError {
  return error instanceof ConnectError
    ? new ConnectError(`${error.message} (${path})`, { sqlState: error.sqlState })
    : error;
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new CancelledError('Opening SQLite was cancelled.', { cause: signal.reason });
}
