// What a database must bring to be spoken to. Facts are data (`capabilities`), text is the compiler's, wire is the
// driver's. Nobody inside athanor asks for a dialect's name.
import type { Driver, DriverConnection } from '../driver/driver.ts';
import type { ServerMonitor } from '../driver/monitor.ts';
import type { AthanorError } from '../errors/index.ts';
import type { TableColumn, TableElement } from '../sql/from.ts';
import type { Scalar } from '../types/wire.ts';
import type { DdlCompiler, SqlCompiler } from './compiler.ts';

/** Plain facts about a database that statements, plans and tests are chosen by. */
export interface Capabilities {
  readonly returning: boolean;
  readonly savepoints: boolean;
  readonly transactionalDdl: boolean;
  /** Rows can be locked (`FOR UPDATE`). */
  readonly rowLocks: boolean;
  readonly skipLocked: boolean;
  readonly schemas: boolean;
  readonly enums: boolean;
  /** Many rows travel as one array per column and become rows on the server. */
  readonly unnest: boolean;
  /** A statement that fails inside a submitted batch keeps the rest of it, COMMIT included, from running. */
  readonly batchStopsOnServer: boolean;
  /** The driver runs in the calling thread: a statement cannot be interrupted by `signal` or `timeout`. */
  readonly synchronous: boolean;
  /** Bytes an identifier may have. */
  readonly maxIdentifierLength: number;
}

/** The statements that frame a transaction, as the database spells them. */
export interface TransactionSql {
  begin(options: {
    readonly isolation?: IsolationLevel | undefined;
    readonly readOnly?: boolean | undefined;
    readonly deferrable?: boolean | undefined;
  }): string;
  readonly commit: string;
  readonly rollback: string;
  savepoint(name: string): string;
  release(name: string): string;
  rollbackTo(name: string): string;
  /** Absent where a transaction cannot be prepared in one session and ended in another. */
  readonly twoPhase?: TwoPhaseSql | undefined;
  /** Absent where a server cannot say afterwards what became of a transaction. */
  readonly outcome?: OutcomeSql | undefined;
}

/** Two-phase commit as the database spells it. Names are checked and quoted by whoever writes them here. */
export interface TwoPhaseSql {
  prepare(xid: string): string;
  commit(xid: string): string;
  rollback(xid: string): string;
  /** Returns the names of this database's prepared transactions, one text each. */
  readonly prepared: string;
}

/** How a server is asked what became of a transaction. */
export interface OutcomeSql {
  /** The transaction's number as text; null while it has written nothing. */
  readonly number: string;
  /** With that number as its one text parameter: `committed`, `aborted`, `in progress`, or null where that is forgotten. */
  readonly status: string;
}

/** How sessions announce things to each other. */
export interface NotifySql {
  listen(channel: string): string;
  /** Ends all listening of a session. */
  readonly unlisten: string;
  /** With channel and payload as its two text parameters. */
  readonly notify: string;
}

/** What `COPY` needs to know of a table's columns. */
export interface CopySql {
  /** Takes rows in the form `encode` gives them. */
  from(table: Pick<TableElement, 'name' | 'schema'>, columns: readonly TableColumn[]): string;
  /** Gives rows in the form `decode` takes. */
  to(table: Pick<TableElement, 'name' | 'schema'>, columns: readonly TableColumn[]): string;
  /** A row of scalars, in the order of the columns, as bytes of the stream. */
  encoder(columns: readonly TableColumn[]): (row: readonly Scalar[]) => string;
  /** Takes the stream apart, in chunks cut anywhere, to rows of scalars. */
  decoder(columns: readonly TableColumn[]): (chunk: Uint8Array) => Scalar[][];
}

export type IsolationLevel = 'read uncommitted' | 'read committed' | 'repeatable read' | 'serializable';

export interface Dialect {
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly driver: Driver;
  readonly sql: SqlCompiler;
  readonly ddl: DdlCompiler;
  readonly transactions: TransactionSql;
  /** Absent where sessions cannot notify each other. */
  readonly notify?: NotifySql | undefined;
  /** Absent where the database has no bulk stream. */
  readonly copy?: CopySql | undefined;
  /** Cuts a script into its statements. */
  splitScript(script: string): readonly string[];
  /** Turns whatever a driver threw into athanor's tree. An AthanorError comes back as it is. */
  translate(error: unknown): AthanorError;
  /** Runs `work` while no other process runs the same section on this database. `connection` is in a transaction. */
  lockSchema(connection: DriverConnection): Promise<void>;
  /** Which server this is, for everybody who may share its budget: host and port in canonical form, or `undefined` for a database without a server. */
  readonly serverAddress: string | undefined;
  /** What a broker asks the server; absent where there is no server to ask. */
  readonly monitor?: (() => ServerMonitor) | undefined;
}
