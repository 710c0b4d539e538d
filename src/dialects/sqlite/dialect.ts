// SQLite as athanor speaks to it.
import { quoted } from '../../dialect/compile/identifier.ts';
import type { Dialect, TransactionSql } from '../../dialect/dialect.ts';
import { splitScript } from '../../dialect/split-script.ts';
import type { Driver } from '../../driver/driver.ts';
import { RULES, sqliteCompiler } from './compiler.ts';
import { sqliteDdl } from './ddl.ts';
import { translateSqliteError } from './errors.ts';

export interface SqliteDialectOptions {
  readonly driver: Driver;
}

/** The dialect over a driver. */
export function sqliteDialect({ driver }: SqliteDialectOptions): Dialect {
  return Object.freeze({
    name: 'sqlite',
    capabilities: CAPABILITIES,
    driver,
    sql: sqliteCompiler,
    ddl: sqliteDdl,
    transactions: TRANSACTIONS,
    splitScript: (script: string) => splitScript(script, { brackets: true }),
    translate: translateSqliteError,
    // BEGIN IMMEDIATE holds the lock of the whole database already.
    lockSchema: async () => undefined,
    serverAddress: undefined,
  });
}

const CAPABILITIES: Dialect['capabilities'] = Object.freeze({
  returning: true,
  savepoints: true,
  transactionalDdl: true,
  rowLocks: false,
  skipLocked: false,
  schemas: false,
  enums: false,
  unnest: false,
  batchStopsOnServer: false,
  synchronous: true,
  maxIdentifierLength: RULES.maxIdentifierLength,
});

const TRANSACTIONS: TransactionSql = Object.freeze({
  // A transaction that turns from reading to writing may find the database changed and fail at once, whatever the
  // busy timeout: so every one that may write takes the lock at its start, and waits for it there.
  begin: ({ readOnly }) => (readOnly === true ? 'BEGIN' : 'BEGIN IMMEDIATE'),
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  savepoint: (name) => `SAVEPOINT ${quoted(RULES, name)}`,
  release: (name) => `RELEASE SAVEPOINT ${quoted(RULES, name)}`,
  rollbackTo: (name) => `ROLLBACK TO SAVEPOINT ${quoted(RULES, name)}`,
} satisfies TransactionSql);
