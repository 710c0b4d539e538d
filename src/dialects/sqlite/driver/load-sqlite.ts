// `node:sqlite` is part of Node, but not of every Node athanor runs on: it is loaded when a SQLite database is first
// opened, never before, and refused by name where it is missing or too young to return rows as arrays.
import type * as Sqlite from 'node:sqlite';
import { UnsupportedError } from '../../../errors/index.ts';

export type SqliteModule = typeof Sqlite;

/** Loads `node:sqlite`. Throws `ATH_UNSUPPORTED` on a Node without it. `load` is for tests of just that. */
export async function loadSqlite(
  load: () => Promise<SqliteModule> = () => import('node:sqlite'),
): Promise<SqliteModule> {
  let sqlite: SqliteModule;
  try {
    sqlite = await load();
  } catch (cause) {
    throw unsupported('has no node:sqlite', cause);
  }
  // Rows as objects lose a column when two have one name.
  const statement = sqlite.StatementSync.prototype;
  if (!('setReturnArrays' in statement && 'columns' in statement)) {
    throw unsupported('has a node:sqlite that cannot return rows as arrays');
  }
  return sqlite;
}

function unsupported(why: string, cause?: unknown): UnsupportedError {
  return new UnsupportedError(
    `SQLite needs Node 22.16 or newer; this is Node ${process.versions.node}, which ${why}.`,
    {
      hint: 'Run this program with a newer Node, or use PostgreSQL.',
      ...(cause === undefined ? {} : { cause }),
    },
  );
}
