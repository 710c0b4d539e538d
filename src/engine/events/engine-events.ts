// What can be heard of an engine, and what a listener may change. Two kinds: an interceptor is part of the call, and its
// error is the call's; an observer is told, and what it throws is reported and goes no further.
import type { ConnectOptions, DriverConnection, Scalar } from '../../driver/driver.ts';
import type { MetaData } from '../../schema/metadata.ts';
import type { Table } from '../../schema/table.ts';
import type { CallSite } from '../../primitives/call-site.ts';
import type { EngineFacts } from './engine-facts.ts';

/** Where something happens. */
export interface ConnectionEvent {
  readonly engine: EngineFacts;
  /** As logs name it. */
  readonly connectionId: string;
  /** Notes of the application on the server connection, kept as long as that is open. */
  readonly info: Map<unknown, unknown>;
}

/** One statement, as the driver gets it. */
export interface StatementEvent extends ConnectionEvent {
  readonly sql: string;
  /** The values in wire form; of the first set where there are several. */
  readonly params: readonly Scalar[];
  /** Several parameter sets for the one text. */
  readonly sets: readonly (readonly Scalar[])[] | undefined;
  /** Who called, where that is known. */
  readonly site: CallSite | undefined;
}

/** What takes the place of a statement. What is left out stays as it was. */
export interface StatementChange {
  readonly sql?: string | undefined;
  /** Values in wire form. Not for a statement with several sets. */
  readonly params?: readonly Scalar[] | undefined;
}

export interface ExecutedEvent extends StatementEvent {
  /** Milliseconds, for the batch it was sent in. */
  readonly duration: number;
  /** Rows returned or affected, where the server says. */
  readonly rows: number | undefined;
}

export interface SavepointEvent extends ConnectionEvent {
  readonly savepoint: string;
}

export interface TwoPhaseEvent extends ConnectionEvent {
  readonly xid: string;
}

export interface ConnectingEvent {
  readonly engine: EngineFacts;
  readonly options: ConnectOptions;
}

/** Other options, or a connection made in another way. */
export type ConnectChange = { readonly options: ConnectOptions } | { readonly connection: DriverConnection };

/** Something failed. A listener may set what is not readonly. */
export interface ErrorEvent {
  readonly engine: EngineFacts;
  /** `undefined` while there is no connection. */
  readonly connectionId: string | undefined;
  /** What the caller will get: a listener's change is seen by the next. */
  error: Error;
  readonly sql: string | undefined;
  /** Whether the connection is gone. Setting it drops the connection, and with it every one that is as old. */
  isDisconnect: boolean;
}

export interface DisposedEvent {
  readonly engine: EngineFacts;
  /** `close` ends the engine; after `dispose` it opens new connections. */
  readonly how: 'dispose' | 'close';
}

/** A connection inside the transaction that changes the schema. */
export interface SchemaConnection {
  /** Runs SQL there. */
  raw(sql: string, params?: readonly unknown[]): PromiseLike<unknown[]>;
}

/** Tables are made or dropped: once for all of them, where `table` is absent, and once for each. */
export interface SchemaEvent {
  readonly engine: EngineFacts;
  readonly metadata: MetaData;
  readonly table: Table | undefined;
  /** In the order of work. */
  readonly tables: readonly Table[];
  readonly connection: SchemaConnection;
}

/**
 * The events of an engine and its connections, by name. Interceptors, whose error fails the call, are `beforeExecute`,
 * `commit`, `prepareTwoPhase`, `doConnect`, `handleError` and the four of the schema; the others are observers.
 */
export interface EngineEvents {
  /** A statement is about to be sent. What comes back takes its place. Answers at once, not by a promise. */
  readonly beforeExecute: (event: StatementEvent) => StatementChange | undefined | void;
  /** A statement was answered. */
  readonly afterExecute: (event: ExecutedEvent) => void;
  /** BEGIN goes out, with the first statement. */
  readonly begin: (event: ConnectionEvent) => void;
  /** COMMIT is about to go out. Whoever throws keeps it from going. */
  readonly commit: (event: ConnectionEvent) => void;
  /** The transaction is in the database. */
  readonly afterCommit: (event: ConnectionEvent) => void;
  /** The transaction is given up. */
  readonly rollback: (event: ConnectionEvent) => void;
  readonly savepoint: (event: SavepointEvent) => void;
  readonly rollbackSavepoint: (event: SavepointEvent) => void;
  readonly releaseSavepoint: (event: SavepointEvent) => void;
  readonly beginTwoPhase: (event: TwoPhaseEvent) => void;
  readonly prepareTwoPhase: (event: TwoPhaseEvent) => void;
  readonly commitTwoPhase: (event: TwoPhaseEvent) => void;
  readonly rollbackTwoPhase: (event: TwoPhaseEvent) => void;
  /** A connection is about to be opened. May be awaited. */
  readonly doConnect: (
    event: ConnectingEvent,
  ) => ConnectChange | undefined | void | Promise<ConnectChange | undefined | void>;
  /** Something failed, and the caller is about to hear of it. */
  readonly handleError: (event: ErrorEvent) => void;
  /** All connections were closed. */
  readonly engineDisposed: (event: DisposedEvent) => void;
  /** May be awaited, as the three below. */
  readonly beforeCreate: (event: SchemaEvent) => void | Promise<void>;
  readonly afterCreate: (event: SchemaEvent) => void | Promise<void>;
  readonly beforeDrop: (event: SchemaEvent) => void | Promise<void>;
  readonly afterDrop: (event: SchemaEvent) => void | Promise<void>;
}
