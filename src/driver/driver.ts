// The contract between athanor and a database driver: one call, `submit`, that sends a batch of statements in one
// write and pushes what comes back into a sink. Everything above this file is free of wire and vendor; everything
// below it is free of tables and entities.

import type { Scalar, WireKind } from '../types/wire.ts';
import type { CopySource, CopyTarget } from './copy.ts';
import type { DriverCursor } from './cursor.ts';
import type { Field } from './field.ts';
import type { Notification } from './notification.ts';
import type { SubmitOptions } from './submit-options.ts';

export type { Scalar, WireKind } from '../types/wire.ts';
export type { CopySource, CopyTarget } from './copy.ts';
export type { CursorPage, DriverCursor } from './cursor.ts';
export type { Field } from './field.ts';
export type { Notification } from './notification.ts';
export type { SubmitOptions } from './submit-options.ts';

/** What is fixed about a statement, once per compiled text: a driver may key its prepared statements by this object. */
export interface StatementText {
  /** SQL in the database's own parameter style, numbered in the order of `params`. */
  readonly sql: string;
  /** The wire form of each parameter; `undefined` leaves it to the value itself. */
  readonly params: readonly (WireKind | undefined)[];
  /** The wire form each result column must come in; `undefined`, or a missing list, is the driver's default for its type. */
  readonly results: readonly (WireKind | undefined)[] | undefined;
  /** Whether it is worth a named prepared statement. */
  readonly prepare: boolean;
}

export interface DriverStatement {
  readonly text: StatementText;
  readonly params: readonly Scalar[];
  /** Several parameter sets for the one text, run in this order; `params` is then ignored. */
  readonly sets?: readonly (readonly Scalar[])[] | undefined;
}

/** How one statement ended. With several sets, `count` is their sum. */
export interface Completion {
  /** The command the server says it ran: `INSERT`, `SELECT`, `COMMIT`, `ROLLBACK`... */
  readonly command: string;
  /** Rows affected or returned, where the server says so. */
  readonly count: number | undefined;
}

/**
 * Where a batch's answers go. Called synchronously while data arrives; `statement` counts from 0 in the batch.
 * A sink must not throw: what it throws fails the batch and destroys the connection.
 */
export interface Sink {
  /** Before the first row of a statement that returns rows, also when there are none. */
  fields?(statement: number, fields: readonly Field[]): void;
  /** One row in wire form. The array belongs to the sink. */
  row(statement: number, row: Scalar[]): void;
  done?(statement: number, completion: Completion): void;
}

/** Which server process serves a connection: what a broker compares with the server's own list. */
export interface ServerIdentity {
  /** The server's process or connection number; for SQLite, this process. */
  readonly pid: number;
  /** When that server process started, in the server's own words, if the driver has asked. */
  readonly start?: string | undefined;
}

/** Where the server says the connection stands. `closed` is final. */
export type ConnectionStatus = 'idle' | 'transaction' | 'failed' | 'closed';

export interface DriverConnection {
  readonly identity: ServerIdentity;
  readonly status: ConnectionStatus;
  /**
   * Sends the batch in one write and settles when all of it is answered. The first statement that fails ends the
   * batch: those behind it are not run, and the promise rejects with its error, whose `statementIndex` names it. What ran before
   * it stands or falls with the transaction it was in; outside one, the batch is one transaction where the database has such a thing.
   * Calls may overlap; they are answered in order.
   */
  submit(batch: readonly DriverStatement[], sink: Sink, options?: SubmitOptions): Promise<void>;
  /** Called at most once, when the connection goes away unasked. Never throws into the process. */
  onLost: ((error: Error) => void) | undefined;
  /** Called for each notice, and for each session-wide message of the server, if set. */
  onNotice:
    | ((notice: { readonly severity: string; readonly code: string; readonly message: string }) => void)
    | undefined;
  /**
   * True behind a pooler that gives the server's session away after each transaction: what is left in a session (LISTEN,
   * SET, advisory locks of the session, temporary tables) is lost or met by others. UnsupportedError refuses it by name.
   */
  readonly pooled?: boolean;
  /**
   * What the server says of the session by name (`server_version`, `TimeZone`, `in_hot_standby`...), kept up to date
   * while answers arrive. Absent where a database has no such thing.
   */
  readonly parameters?: ReadonlyMap<string, string>;
  /**
   * Called for each notification, if set. A connection that can have them has the property from the start, so
   * `'onNotification' in connection` tells; where `pooled`, none arrive. Never throws into the process.
   */
  onNotification?: ((notification: Notification) => void) | undefined;
  /**
   * Opens a cursor over a statement that returns rows; needs an open transaction (UsageError without one). Absent where
   * results cannot be read in parts.
   */
  openCursor?(statement: DriverStatement, options?: SubmitOptions): Promise<DriverCursor>;
  /**
   * Runs `COPY ... FROM STDIN` and sends it `source`, at the pace the server takes it. What the source throws ends the
   * COPY on the server and rejects with that error. Statements submitted meanwhile wait. The connection stays usable.
   */
  copyFrom?(sql: string, source: CopySource, options?: SubmitOptions): Promise<Completion>;
  /**
   * Runs `COPY ... TO STDOUT`. While `target` is slow nothing is read, so memory stays bounded. What the target throws
   * stops the COPY and rejects with that error. Statements submitted meanwhile wait. The connection stays usable.
   */
  copyTo?(sql: string, target: CopyTarget, options?: SubmitOptions): Promise<Completion>;
  /** Asks the server, out of band, to stop what runs now. Settles when the request was delivered. */
  cancel(): Promise<void>;
  /** Says goodbye and waits until the server has closed its end, at most a second. Never throws. */
  close(): Promise<void>;
  /** Drops the connection at once. */
  destroy(): void;
}

export interface ConnectOptions {
  readonly signal?: AbortSignal | undefined;
  /** For TCP, TLS and authentication together, in milliseconds. */
  readonly timeout?: number | undefined;
  /** What the server lists the connection as, where it lists connections. */
  readonly applicationName?: string | undefined;
}

/** Opens connections to the one server it was made for. */
export interface Driver {
  readonly name: string;
  connect(options?: ConnectOptions): Promise<DriverConnection>;
}
