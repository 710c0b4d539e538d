// Opens SQLite databases through `node:sqlite`, set up the way athanor promises: foreign keys on, waiting for locks
// instead of failing at once, and write-ahead logging, so that readers and a writer in many processes do not stop
// each other.
import type { DatabaseSync } from 'node:sqlite';
import type { ConnectOptions, Driver } from '../../../driver/driver.ts';
import { type AthanorError, CancelledError, ConnectError, StateError } from '../../../errors/index.ts';
import { translateSqliteError } from '../errors.ts';
import type { SqliteLocation } from '../url.ts';
import { isBusy, Patience } from './busy.ts';
import { loadSqlite } from './load-sqlite.ts';
import { SqliteConnection } from './sqlite-connection.ts';
import { Turns } from './turns.ts';

const CONNECT_TIMEOUT = 10_000;

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
    const { DatabaseSync: Database } = await loadSqlite();
    throwIfAborted(signal);
    if (this.#location.memory && this.#only !== undefined && this.#only.status !== 'closed') {
      throw new StateError('A database in memory has one connection, and it is open.', {
        hint: 'A second one would see another, empty database: use a pool of one, or a file.',
      });
    }
    const database = await this.#open(Database, new Patience(timeout), signal);
    const connection = new SqliteConnection(database, this.#location.busyTimeout);
    if (this.#location.memory) this.#only = connection;
    return connection;
  }

  async #open(
    Database: typeof DatabaseSync,
    patience: Patience,
    signal: AbortSignal | undefined,
  ): Promise<DatabaseSync> {
    const { path, readOnly } = this.#location;
    let database: DatabaseSync | undefined;
    try {
      const opened = new Database(path, { readOnly, timeout: 0, enableForeignKeyConstraints: true });
      database = opened;
      // Many processes may open a new file at once; SQLite lets one change its mode and refuses the others.
      await new Turns().take(() => {
        throwIfAborted(signal);
        return this.#isSetUp(opened, patience);
      });
      return opened;
    } catch (error) {
      database?.close();
      throw connectError(translateSqliteError(error, { waited: patience.waited }), path);
    }
  }

  /** `false` where another connection is in the way for now. */
  #isSetUp(database: DatabaseSync, patience: Patience): boolean {
    const { memory, readOnly } = this.#location;
    try {
      // A file is first read here: one that is no database is found out now.
      const { journal_mode: mode } = database.prepare('PRAGMA journal_mode').get() ?? {};
      if (!memory && !readOnly && mode !== 'wal') database.exec('PRAGMA journal_mode = WAL');
      return true;
    } catch (error) {
      if (isBusy(error) && patience.refused()) return false;
      throw error;
    }
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
