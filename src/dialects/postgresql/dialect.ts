// PostgreSQL as athanor speaks to it.
import type { Dialect, TransactionSql } from '../../dialect/dialect.ts';
import type { Driver, DriverConnection, StatementText } from '../../driver/driver.ts';
import type { ServerMonitor } from '../../driver/monitor.ts';
import { UsageError } from '../../errors/index.ts';
import { postgresqlCompiler } from './compiler.ts';
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
} satisfies TransactionSql);

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
