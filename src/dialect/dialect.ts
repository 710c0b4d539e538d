// What a database must bring to be spoken to. Facts are data (`capabilities`), text is the compiler's, wire is the
// driver's. Nobody inside athanor asks for a dialect's name.
import type { Driver, DriverConnection } from '../driver/driver.ts';
import type { ServerMonitor } from '../driver/monitor.ts';
import type { AthanorError } from '../errors/index.ts';
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
}

export type IsolationLevel = 'read uncommitted' | 'read committed' | 'repeatable read' | 'serializable';

export interface Dialect {
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly driver: Driver;
  readonly sql: SqlCompiler;
  readonly ddl: DdlCompiler;
  readonly transactions: TransactionSql;
  /** Turns whatever a driver threw into athanor's tree. An AthanorError comes back as it is. */
  translate(error: unknown): AthanorError;
  /** Runs `work` while no other process runs the same section on this database. `connection` is in a transaction. */
  lockSchema(connection: DriverConnection): Promise<void>;
  /** Which server this is, for everybody who may share its budget: host and port in canonical form, or `undefined` for a database without a server. */
  readonly serverAddress: string | undefined;
  /** What a broker asks the server; absent where there is no server to ask. */
  readonly monitor?: (() => ServerMonitor) | undefined;
}
