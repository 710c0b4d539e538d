// What the server, or the way to it, answered. One class per reaction of the caller.
import { AthanorError, type AthanorErrorOptions } from './athanor-error.ts';

export interface DatabaseErrorOptions extends AthanorErrorOptions {
  /** The five characters of SQLSTATE, or the vendor's own code where the database has none. */
  readonly sqlState?: string | undefined;
  readonly schema?: string | undefined;
  readonly table?: string | undefined;
  readonly column?: string | undefined;
  readonly constraint?: string | undefined;
  /** The statement's text. Kept out of logs and JSON. */
  readonly sql?: string | undefined;
  /** The statement's values, in wire form. Kept out of logs and JSON, and at home. */
  readonly params?: readonly unknown[] | undefined;
  /** Whether its connection went away with it, and with that the transaction it was in. */
  readonly connectionInvalidated?: boolean | undefined;
  /** The server's own words that may quote values (DETAIL). Kept out of logs and JSON. */
  readonly serverDetail?: string | undefined;
  /** Which statement of the submitted batch failed, from 0. */
  readonly statementIndex?: number | undefined;
}

/**
 * The database refused or could not be reached. `sql`, `params` and `serverDetail` are not enumerable: logging cannot
 * leak values.
 */
export class DatabaseError extends AthanorError {
  readonly code: string = 'ATH_DATABASE';
  readonly sqlState: string | undefined;
  readonly schema: string | undefined;
  readonly table: string | undefined;
  readonly column: string | undefined;
  readonly constraint: string | undefined;
  /** Whether its connection went away with it, and with that the transaction it was in. */
  readonly connectionInvalidated: boolean;
  declare readonly sql: string | undefined;
  declare readonly params: readonly unknown[] | undefined;
  declare readonly serverDetail: string | undefined;
  declare readonly statementIndex: number | undefined;
  constructor(message: string, options: DatabaseErrorOptions = {}) {
    super(message, options);
    this.sqlState = options.sqlState;
    this.schema = options.schema;
    this.table = options.table;
    this.column = options.column;
    this.constraint = options.constraint;
    this.connectionInvalidated = options.connectionInvalidated ?? false;
    for (const field of ['sql', 'params', 'serverDetail', 'statementIndex'] as const) {
      Object.defineProperty(this, field, {
        value: options[field],
        enumerable: false,
        configurable: true,
        writable: true,
      });
    }
  }
  protected override fields(): Record<string, unknown> {
    const fields: Record<string, unknown> = {};
    for (const field of ['sqlState', 'schema', 'table', 'column', 'constraint'] as const) {
      if (this[field] !== undefined) fields[field] = this[field];
    }
    if (this.connectionInvalidated) fields['connectionInvalidated'] = true;
    return fields;
  }
}

/** A constraint of the schema was violated. */
export class IntegrityError extends DatabaseError {
  override readonly code: string = 'ATH_INTEGRITY';
}
export class UniqueViolationError extends IntegrityError {
  override readonly code: string = 'ATH_UNIQUE_VIOLATION';
}
export class ForeignKeyViolationError extends IntegrityError {
  override readonly code: string = 'ATH_FOREIGN_KEY_VIOLATION';
}
export class NotNullViolationError extends IntegrityError {
  override readonly code: string = 'ATH_NOT_NULL_VIOLATION';
}
export class CheckViolationError extends IntegrityError {
  override readonly code: string = 'ATH_CHECK_VIOLATION';
}

/** A value does not fit its type: out of range, not representable, a NUL byte, finer than its JavaScript type. */
export class DataError extends DatabaseError {
  override readonly code: string = 'ATH_DATA';
}
/** The SQL is wrong or names what does not exist. */
export class ProgrammingError extends DatabaseError {
  override readonly code: string = 'ATH_PROGRAMMING';
}

/** Not the statement's fault: the connection, the load, the other transactions. */
export class OperationalError extends DatabaseError {
  override readonly code: string = 'ATH_OPERATIONAL';
}
/** No connection could be made: refused, unknown host, TLS, wrong database. */
export class ConnectError extends OperationalError {
  override readonly code: string = 'ATH_CONNECT';
}
/** The server refused the user, or offered an authentication below what is accepted. */
export class AuthenticationError extends ConnectError {
  override readonly code: string = 'ATH_AUTHENTICATION';
}
/** The server has no connection left (53300 and its kin). Waited for inside the deadline; retryable. */
export class ServerFullError extends ConnectError {
  override readonly code: string = 'ATH_SERVER_FULL';
  override get retryable(): boolean {
    return true;
  }
}
/** An open connection went away. `outcome` says whether the work may have happened. */
export class ConnectionLostError extends OperationalError {
  override readonly code: string = 'ATH_CONNECTION_LOST';
  override get retryable(): boolean {
    return this.outcome !== 'unknown';
  }
}
/** The peer sent what the protocol does not allow; the connection was destroyed. */
export class ProtocolError extends OperationalError {
  override readonly code: string = 'ATH_PROTOCOL';
}
/** The connection was lost, or the call cancelled, while COMMIT was under way: the transaction may or may not be in the database. */
export class CommitOutcomeUnknownError extends OperationalError {
  override readonly code: string = 'ATH_COMMIT_OUTCOME_UNKNOWN';
  /** What `engine.resolveOutcome()` asks the server about; `null` for a transaction that wrote nothing, `undefined` where none was tracked. */
  readonly transactionId: string | null | undefined;
  constructor(
    message: string,
    options: DatabaseErrorOptions & { readonly transactionId?: string | null | undefined } = {},
  ) {
    super(message, options);
    this.transactionId = options.transactionId;
  }
  protected override fields(): Record<string, unknown> {
    return { ...super.fields(), ...(this.transactionId === undefined ? {} : { transactionId: this.transactionId }) };
  }
}
/** COMMIT was answered by ROLLBACK: the transaction had already failed on the server. */
export class CommitRolledBackError extends OperationalError {
  override readonly code: string = 'ATH_COMMIT_ROLLED_BACK';
}
/** The server ended the transaction: idle too long (25P03), or over transaction_timeout (25P04). */
export class TransactionExpiredError extends OperationalError {
  override readonly code: string = 'ATH_TRANSACTION_EXPIRED';
}
/** 40P01. The whole transaction may be run again. */
export class DeadlockError extends OperationalError {
  override readonly code: string = 'ATH_DEADLOCK';
  override get retryable(): boolean {
    return true;
  }
}
/** 40001. The whole transaction may be run again. */
export class SerializationFailureError extends OperationalError {
  override readonly code: string = 'ATH_SERIALIZATION_FAILURE';
  override get retryable(): boolean {
    return true;
  }
}
/** 57014 by statement_timeout, or athanor's own deadline that cancelled the statement on the server. */
export class StatementTimeoutError extends OperationalError {
  override readonly code: string = 'ATH_STATEMENT_TIMEOUT';
}
/** 55P03: a lock was not to be had at once (NOWAIT) or within lock_timeout; SQLite's BUSY. */
export class LockTimeoutError extends OperationalError {
  override readonly code: string = 'ATH_LOCK_TIMEOUT';
  override get retryable(): boolean {
    return true;
  }
}
