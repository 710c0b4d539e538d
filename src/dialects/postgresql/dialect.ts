// PostgreSQL as athanor speaks to it.
import type { Dialect, NotifySql, TransactionSql } from '../../dialect/dialect.ts';
import type { Driver, DriverConnection, StatementText } from '../../driver/driver.ts';
import type { ServerMonitor } from '../../driver/monitor.ts';
import { UsageError } from '../../errors/index.ts';
import { postgresqlCompiler } from './compiler.ts';
import { splitScript } from '../../dialect/split-script.ts';
import { postgresqlCopy } from './copy.ts';
import { postgresqlDdl } from './ddl.ts';
import { translatePostgresError } from './errors.ts';
import { quoted } from '../../dialect/compile/identifier.ts';
import { IDENTIFIERS } from './type-names.ts';

export interface PostgresqlDialectOptions {
  readonly driver: Driver;
  readonly monitor?: (() => ServerMonitor) | undefined;
  /** Host and port in canonical form. */
  readonly serverAddress?: string | undefined;
}

/** The dialect over a driver. */
export function postgresqlDialect(options: PostgresqlDialectOptions): Dialect {
  const { driver, monitor, serverAddress } = options;
  return Object.freeze({
    name: 'postgresql',
    capabilities: CAPABILITIES,
    driver,
    sql: postgresqlCompiler,
    ddl: postgresqlDdl,
    transactions: TRANSACTIONS,
    notify: NOTIFY,
    copy: postgresqlCopy,
    splitScript: (script: string) => splitScript(script, { dollarQuotes: true, nestedComments: true, escapes: true }),
    translate: translatePostgresError,
    lockSchema,
    serverAddress,
    ...(monitor === undefined ? {} : { monitor }),
  });
}

const CAPABILITIES: Dialect['capabilities'] = Object.freeze({
  returning: true,
  savepoints: true,
  transactionalDdl: true,
  rowLocks: true,
  skipLocked: true,
  schemas: true,
  enums: true,
  unnest: true,
  batchStopsOnServer: true,
  synchronous: false,
  maxIdentifierLength: IDENTIFIERS.maxIdentifierLength,
});

const ISOLATION: ReadonlySet<string> = new Set([
  'read uncommitted',
  'read committed',
  'repeatable read',
  'serializable',
]);

const TRANSACTIONS: TransactionSql = Object.freeze({
  begin({ isolation, readOnly, deferrable }) {
    if (isolation !== undefined && !ISOLATION.has(isolation)) throw new UsageError('Unknown isolation level.');
    const modes = [
      isolation === undefined ? '' : ` ISOLATION LEVEL ${isolation.toUpperCase()}`,
      readOnly === undefined ? '' : readOnly ? ' READ ONLY' : ' READ WRITE',
      deferrable === undefined ? '' : deferrable ? ' DEFERRABLE' : ' NOT DEFERRABLE',
    ];
    return `BEGIN${modes.filter((mode) => mode !== '').join(',')}`;
  },
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  savepoint: (name) => `SAVEPOINT ${quoted(IDENTIFIERS, name)}`,
  release: (name) => `RELEASE SAVEPOINT ${quoted(IDENTIFIERS, name)}`,
  rollbackTo: (name) => `ROLLBACK TO SAVEPOINT ${quoted(IDENTIFIERS, name)}`,
  twoPhase: {
    prepare: (xid) => `PREPARE TRANSACTION ${xidText(xid)}`,
    commit: (xid) => `COMMIT PREPARED ${xidText(xid)}`,
    rollback: (xid) => `ROLLBACK PREPARED ${xidText(xid)}`,
    prepared: 'SELECT gid FROM pg_prepared_xacts WHERE database = current_database() ORDER BY prepared, gid',
  },
  outcome: {
    number: 'SELECT pg_current_xact_id_if_assigned()::text',
    status: 'SELECT pg_xact_status($1::xid8)',
  },
} satisfies TransactionSql);

/** Bytes of a prepared transaction's name, as the server has them. */
const XID_BYTES = 199;

function xidText(xid: string): string {
  if (xid === '' || xid.includes('\0') || Buffer.byteLength(xid) > XID_BYTES) {
    throw new UsageError(`A prepared transaction needs a name of 1 to ${XID_BYTES} bytes without a NUL character.`);
  }
  return `'${xid.replaceAll("'", "''")}'`;
}

const NOTIFY: NotifySql = Object.freeze({
  listen: (channel) => `LISTEN ${quoted(IDENTIFIERS, channel)}`,
  unlisten: 'UNLISTEN *',
  notify: 'SELECT pg_notify($1, $2)',
} satisfies NotifySql);

/** Any number would do that no other program takes; held until the transaction ends. */
const LOCK: StatementText = Object.freeze({
  sql: 'SELECT pg_advisory_xact_lock(702227342297749501)',
  params: [],
  results: undefined,
  prepare: false,
});

async function lockSchema(connection: DriverConnection): Promise<void> {
  await connection.submit([{ text: LOCK, params: [] }], { row: () => undefined });
}
