// Where a SQLite database lives, from its URL. A relative path is made absolute here, once, so that a child process with
// another working folder opens the same file.
import { resolve } from 'node:path';
import { UsageError } from '../../errors/index.ts';

/** What a SQLite URL says. */
export interface SqliteLocation {
  /** An absolute path, or `:memory:`. */
  readonly path: string;
  /** The database is private to the one connection that opens it and gone when that closes. */
  readonly memory: boolean;
  readonly readOnly: boolean;
  /** How long a statement waits for another connection's lock, in milliseconds. */
  readonly busyTimeout: number;
}

const MAX_LENGTH = 8192;
const DEFAULT_BUSY_TIMEOUT = 5000;
const FORMS =
  'Use sqlite:///absolute/path, sqlite:./relative/path or sqlite::memory:, with ?mode=ro or ?busyTimeout=ms.';

/** Reads `sqlite:///absolute/path`, `sqlite:./relative/path` or `sqlite::memory:`. Throws `ATH_USAGE` on anything else. */
export function parseSqliteUrl(url: string): SqliteLocation {
  if (url.length > MAX_LENGTH) throw refused(`is longer than ${MAX_LENGTH} characters`);
  const body = /^sqlite:([^?#]*)(?:\?([^#]*))?$/i.exec(url);
  if (body === null) throw refused('is not of a known form');
  const options = readOptions(body[2] ?? '');
  const place = body[1] ?? '';
  if (place === ':memory:') return Object.freeze({ path: ':memory:', memory: true, ...options });
  return Object.freeze({ path: resolve(decodePath(pathOf(place))), memory: false, ...options });
}

function pathOf(place: string): string {
  if (!place.startsWith('//')) return place;
  const path = place.slice(2);
  if (!path.startsWith('/')) throw refused('names a host, and SQLite has none');
  // A drive letter stands behind the third slash.
  return /^\/[A-Za-z]:/.test(path) ? path.slice(1) : path;
}

function decodePath(path: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch (cause) {
    throw refused('has a malformed percent sign', cause);
  }
  if (decoded === '' || decoded.endsWith('/')) throw refused('names no file');
  if (decoded.includes('\0')) throw refused('contains a NUL character');
  return decoded;
}

function readOptions(query: string): { readOnly: boolean; busyTimeout: number } {
  let readOnly = false;
  let busyTimeout = DEFAULT_BUSY_TIMEOUT;
  for (const [name, value] of new URLSearchParams(query)) {
    if (name === 'mode' && (value === 'ro' || value === 'rwc')) readOnly = value === 'ro';
    else if (name === 'busyTimeout' && /^\d{1,9}$/.test(value)) busyTimeout = Number(value);
    else throw refused(`has the option ${JSON.stringify(`${name}=${value}`)}, which is not known`);
  }
  return { readOnly, busyTimeout };
}

function refused(why: string, cause?: unknown): UsageError {
  return new UsageError(`This SQLite URL ${why}.`, { hint: FORMS, ...(cause === undefined ? {} : { cause }) });
}
