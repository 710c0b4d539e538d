// SQLite's result codes in athanor's words. SQLite has no SQLSTATE: its own symbolic code stands in `sqlState`.
import {
  AthanorError,
  CheckViolationError,
  ConnectError,
  DatabaseError,
  type DatabaseErrorOptions,
  DataError,
  ForeignKeyViolationError,
  IntegrityError,
  LockTimeoutError,
  NotNullViolationError,
  OperationalError,
  ProgrammingError,
  SerializationFailureError,
  UniqueViolationError,
} from '../../errors/index.ts';

/** What the driver knows about the statement that failed. */
export interface SqliteErrorContext {
  readonly sql?: string | undefined;
  readonly statementIndex?: number | undefined;
  /** How long a lock was waited for, in milliseconds. */
  readonly waited?: number | undefined;
}

/** What `node:sqlite` throws: `errcode` is SQLite's extended result code. */
interface NativeError extends Error {
  readonly code?: unknown;
  readonly errcode?: unknown;
}

type ErrorClass = new (message: string, options?: DatabaseErrorOptions) => DatabaseError;
type Rule = readonly [name: string, kind: ErrorClass, read: (text: string, waited: number | undefined) => Reading];
interface Reading {
  readonly message: string;
  readonly table?: string | undefined;
  readonly column?: string | undefined;
  readonly constraint?: string | undefined;
  readonly hint?: string | undefined;
}

const asSaid = (text: string): Reading => ({ message: `SQLite: ${text}` });

/** Extended codes first looked up whole, then by their lowest byte, the primary code. */
const RULES: ReadonlyMap<number, Rule> = new Map<number, Rule>([
  [1, ['SQLITE_ERROR', ProgrammingError, asSaid]],
  [5, ['SQLITE_BUSY', LockTimeoutError, (_, waited) => locked('another connection', waited)]],
  [6, ['SQLITE_LOCKED', LockTimeoutError, () => locked('another statement', undefined)]],
  [7, ['SQLITE_NOMEM', OperationalError, asSaid]],
  [8, ['SQLITE_READONLY', OperationalError, asSaid]],
  [9, ['SQLITE_INTERRUPT', OperationalError, asSaid]],
  [10, ['SQLITE_IOERR', OperationalError, asSaid]],
  [11, ['SQLITE_CORRUPT', OperationalError, asSaid]],
  [13, ['SQLITE_FULL', OperationalError, asSaid]],
  [14, ['SQLITE_CANTOPEN', ConnectError, asSaid]],
  [18, ['SQLITE_TOOBIG', DataError, asSaid]],
  [19, ['SQLITE_CONSTRAINT', IntegrityError, asSaid]],
  [20, ['SQLITE_MISMATCH', DataError, asSaid]],
  [23, ['SQLITE_AUTH', ProgrammingError, asSaid]],
  [25, ['SQLITE_RANGE', ProgrammingError, asSaid]],
  [26, ['SQLITE_NOTADB', ConnectError, asSaid]],
  [275, ['SQLITE_CONSTRAINT_CHECK', CheckViolationError, readCheck]],
  [517, ['SQLITE_BUSY_SNAPSHOT', SerializationFailureError, staleSnapshot]],
  [787, ['SQLITE_CONSTRAINT_FOREIGNKEY', ForeignKeyViolationError, readForeignKey]],
  [1299, ['SQLITE_CONSTRAINT_NOTNULL', NotNullViolationError, readNotNull]],
  [1555, ['SQLITE_CONSTRAINT_PRIMARYKEY', UniqueViolationError, readUnique]],
  [1811, ['SQLITE_CONSTRAINT_TRIGGER', IntegrityError, asSaid]],
  [2067, ['SQLITE_CONSTRAINT_UNIQUE', UniqueViolationError, readUnique]],
  [2579, ['SQLITE_CONSTRAINT_ROWID', UniqueViolationError, readUnique]],
  [3091, ['SQLITE_CONSTRAINT_DATATYPE', DataError, readDatatype]],
]);

/** Turns what `node:sqlite` threw into athanor's tree. An `AthanorError` comes back as it is. */
export function translateSqliteError(error: unknown, context: SqliteErrorContext = {}): AthanorError {
  if (error instanceof AthanorError) return error;
  if (!(error instanceof Error)) return new DatabaseError('SQLite failed.', { cause: error });
  const native: NativeError = error;
  if (typeof native.errcode === 'number') return fromResultCode(native, native.errcode, context);
  if (native.code === 'ERR_OUT_OF_RANGE') {
    // Node's own text quotes the value.
    return new DataError('An integer of the result is too large for a JavaScript number.', {
      ...context,
      hint: 'Read the column as bigint.',
    });
  }
  return new DatabaseError(`SQLite: ${native.message}`, { ...context, cause: error });
}

function fromResultCode(error: Error, code: number, { waited, ...context }: SqliteErrorContext): DatabaseError {
  const [name, Kind, read] = RULES.get(code) ?? RULES.get(code & 0xff) ?? [`SQLITE_${code}`, DatabaseError, asSaid];
  const { message, ...facts } = read(error.message, waited);
  return new Kind(message, { ...context, ...facts, sqlState: name, serverDetail: error.message });
}

/** `UNIQUE constraint failed: users.tenant, users.email` or `...: index 'by_lower_email'`. */
function readUnique(text: string): Reading {
  const index = /index '(.*)'$/s.exec(text)?.[1];
  if (index !== undefined) return { message: `The unique index "${index}" already has this value.`, constraint: index };
  const { table, columns } = readColumns(text);
  const what = columns.join(', ');
  return {
    message: `Another row of "${table ?? '?'}" already has this value of (${what}).`,
    table,
    // One name for several columns would be a guess.
    column: columns.length === 1 ? columns[0] : undefined,
  };
}

function readNotNull(text: string): Reading {
  const { table, columns } = readColumns(text);
  return { message: `"${table ?? '?'}.${columns[0] ?? '?'}" must not be null.`, table, column: columns[0] };
}

/** SQLite gives the constraint's name, or its expression where it has none. */
function readCheck(text: string): Reading {
  const constraint = afterColon(text);
  return { message: `The check constraint "${constraint}" refused the row.`, constraint };
}

function readForeignKey(): Reading {
  return {
    message: 'A foreign key points to a row that does not exist, or a row that others point to would go.',
    hint: 'SQLite does not say which constraint it was; PRAGMA foreign_key_check lists what is wrong.',
  };
}

/** `cannot store TEXT value in INT column users.age`. */
function readDatatype(text: string): Reading {
  const { table, columns } = readColumns(`: ${text.slice(text.lastIndexOf(' ') + 1)}`);
  return { message: `SQLite: ${text}`, table, column: columns[0] };
}

function locked(by: string, waited: number | undefined): Reading {
  return {
    message: `The database is locked by ${by}${waited === undefined ? '' : `; ${waited} ms were waited`}.`,
    hint: 'Keep write transactions short, begin them as writers, or raise busyTimeout; then run the transaction again.',
  };
}

function staleSnapshot(): Reading {
  return {
    message: 'Another connection wrote since this transaction read; it can no longer write.',
    hint: 'Run the whole transaction again, or begin it as a writer.',
  };
}

function readColumns(text: string): { readonly table: string | undefined; readonly columns: readonly string[] } {
  const names = afterColon(text).split(', ');
  const dot = names[0]?.lastIndexOf('.') ?? -1;
  return {
    table: dot < 0 ? undefined : names[0]?.slice(0, dot),
    columns: names.map((name) => name.slice(name.lastIndexOf('.') + 1)),
  };
}

function afterColon(text: string): string {
  return text.slice(text.indexOf(': ') + 2);
}
