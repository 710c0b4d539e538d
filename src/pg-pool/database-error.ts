// The server's errors with the fields `pg` gives them: other libraries look for SQLSTATE in `code`, and for the table
// and constraint by their names.
import { DatabaseError as AthanorDatabaseError } from '../errors/index.ts';

/** The fields of an ErrorResponse by their letters. */
export type ErrorFields = Readonly<Record<string, string | undefined>>;

const NAMES: readonly (readonly [property: string, letter: string])[] = [
  ['severity', 'S'],
  ['code', 'C'],
  ['detail', 'D'],
  ['hint', 'H'],
  ['position', 'P'],
  ['internalPosition', 'p'],
  ['internalQuery', 'q'],
  ['where', 'W'],
  ['schema', 's'],
  ['table', 't'],
  ['column', 'c'],
  ['dataType', 'd'],
  ['constraint', 'n'],
  ['file', 'F'],
  ['line', 'L'],
  ['routine', 'R'],
];

/** An error the server reported; `cause` is the same as one of athanor's. */
export class DatabaseError extends Error {
  override name = 'error';
  declare readonly length: number;
  declare readonly severity: string | undefined;
  /** SQLSTATE. */
  declare readonly code: string | undefined;
  declare readonly detail: string | undefined;
  declare readonly hint: string | undefined;
  declare readonly position: string | undefined;
  declare readonly where: string | undefined;
  declare readonly schema: string | undefined;
  declare readonly table: string | undefined;
  declare readonly column: string | undefined;
  declare readonly dataType: string | undefined;
  declare readonly constraint: string | undefined;
  declare readonly routine: string | undefined;

  constructor(message: string, fields: ErrorFields, cause: unknown) {
    super(message, { cause });
    Object.defineProperty(this, 'cause', { enumerable: false });
    Object.assign(this, Object.fromEntries(NAMES.map(([property, letter]) => [property, fields[letter]])));
  }
}

/** The error as `pg` would give it. What the server did not say stays as it is. */
export function pgError(error: unknown, fieldsOf: (error: Error) => ErrorFields | undefined): Error {
  if (!(error instanceof AthanorDatabaseError)) return error as Error;
  const fields = fieldsOf(error);
  if (fields !== undefined) return new DatabaseError(fields['M'] ?? error.message, fields, error);
  if (error.sqlState === undefined) return error;
  const { sqlState: C, schema: s, table: t, column: c, constraint: n } = error;
  return new DatabaseError(error.message, { C, s, t, c, n }, error);
}
