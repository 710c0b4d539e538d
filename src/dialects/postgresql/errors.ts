// SQLSTATE to athanor's tree, by class of reaction. The message is the server's own first line without the values it
// quotes; DETAIL and HINT, which may quote rows, are kept where no log prints them.
import {
  AthanorError,
  AuthenticationError,
  CancelledError,
  CheckViolationError,
  ConnectionLostError,
  DatabaseError,
  type DatabaseErrorOptions,
  DataError,
  DeadlockError,
  ForeignKeyViolationError,
  IntegrityError,
  LockTimeoutError,
  NotNullViolationError,
  OperationalError,
  type Outcome,
  ProgrammingError,
  SerializationFailureError,
  ServerFullError,
  StatementTimeoutError,
  TransactionExpiredError,
  UniqueViolationError,
} from '../../errors/index.ts';
import type { ServerFields } from './wire/server-message.ts';

type DatabaseErrorClass = new (message: string, options?: DatabaseErrorOptions) => DatabaseError;

const MAX_MESSAGE = 500;

const byState: Readonly<Record<string, DatabaseErrorClass>> = {
  '23001': ForeignKeyViolationError,
  '23502': NotNullViolationError,
  '23503': ForeignKeyViolationError,
  '23505': UniqueViolationError,
  '23514': CheckViolationError,
  '25P03': TransactionExpiredError,
  '25P04': TransactionExpiredError,
  '40001': SerializationFailureError,
  '40002': IntegrityError,
  '40P01': DeadlockError,
  '53300': ServerFullError,
  '55P03': LockTimeoutError,
  '57014': StatementTimeoutError,
  '57P01': ConnectionLostError,
  '57P02': ConnectionLostError,
  '57P03': ConnectionLostError,
  '57P04': ConnectionLostError,
  '57P05': ConnectionLostError,
  // A protocol mistake the server survived is ours: a wrong number of parameters.
  '08P01': ProgrammingError,
};

const byClass: Readonly<Record<string, DatabaseErrorClass>> = {
  // The statement, or what it calls, is written in a way that cannot work.
  '03': ProgrammingError,
  '0A': ProgrammingError,
  '0B': ProgrammingError,
  '0F': ProgrammingError,
  '0L': ProgrammingError,
  '0P': ProgrammingError,
  '0Z': ProgrammingError,
  '21': ProgrammingError,
  '24': ProgrammingError,
  '26': ProgrammingError,
  '2B': ProgrammingError,
  '2D': ProgrammingError,
  '34': ProgrammingError,
  '3B': ProgrammingError,
  '3D': ProgrammingError,
  '3F': ProgrammingError,
  '42': ProgrammingError,
  // Its values do not fit.
  '10': DataError,
  '20': DataError,
  '22': DataError,
  // The schema refuses them.
  '23': IntegrityError,
  '27': IntegrityError,
  '44': IntegrityError,
  // A function of the database's own failed, in its author's words.
  '09': DatabaseError,
  '2F': DatabaseError,
  '38': DatabaseError,
  '39': DatabaseError,
  P0: DatabaseError,
  // The server, the load, the other transactions.
  '08': ConnectionLostError,
  '25': OperationalError,
  '28': AuthenticationError,
  '40': OperationalError,
  '53': OperationalError,
  '54': OperationalError,
  '55': OperationalError,
  '57': OperationalError,
  '58': OperationalError,
  '72': OperationalError,
  F0: OperationalError,
  HV: OperationalError,
  XX: OperationalError,
};

/** What is known beside the server's fields. */
export interface ServerErrorContext {
  readonly statementIndex?: number | undefined;
  readonly sql?: string | undefined;
  readonly connectionId?: string | undefined;
  readonly outcome?: Outcome | undefined;
}

/** `invalid input syntax for type integer: "abc"` names its value in quotes or behind a colon. */
function withoutValues(message: string): string {
  return message.replace(/["«„“'][\s\S]*["»“”']/, '"…"').replace(/: [\s\S]*$/, ': …');
}

/** The first line without quoted values where the server quotes values: data exceptions (class 22). */
export function safeMessage(fields: ServerFields): string {
  const message = fields['M'] ?? 'the server reported an error without a message';
  const redacted = fields['C']?.startsWith('22') === true ? withoutValues(message) : message;
  return redacted.length > MAX_MESSAGE ? `${redacted.slice(0, MAX_MESSAGE)}…` : redacted;
}

const received = new WeakMap<Error, ServerFields>();

/** All the server said with an error, values and all: for those who must pass it on as it was. */
export function serverFieldsOf(error: Error): ServerFields | undefined {
  return received.get(error);
}

/** An ErrorResponse of a running session as one of athanor's errors. */
export function serverError(fields: ServerFields, context: ServerErrorContext = {}): DatabaseError {
  const state = fields['C'] ?? '';
  const make = byState[state] ?? byClass[state.slice(0, 2)] ?? DatabaseError;
  const detail = [fields['D'], fields['H']].filter((part) => part !== undefined).join('\n');
  const error = new make(safeMessage(fields), {
    sqlState: fields['C'],
    schema: fields['s'],
    table: fields['t'],
    column: fields['c'],
    constraint: fields['n'],
    serverDetail: detail === '' ? undefined : detail,
    outcome: 'failed',
    ...context,
  });
  received.set(error, fields);
  return error;
}

/** Whether somebody asked for the cancel, rather than a time limit of the server. */
export function isUserCancel(fields: ServerFields): boolean {
  return fields['C'] === '57014' && /user request/i.test(fields['M'] ?? '');
}

/** Any thrown value as one of athanor's errors; one of them comes back as it is. */
export function translatePostgresError(error: unknown): AthanorError {
  if (error instanceof AthanorError) return error;
  if (error instanceof Error && error.name === 'AbortError')
    return new CancelledError('the operation was cancelled', { cause: error });
  return new OperationalError('the PostgreSQL driver failed in a way it does not know', { cause: error });
}
