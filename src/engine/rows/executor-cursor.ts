// A cursor of the driver's, kept to the executor's rules: it lives as long as its transaction, its failures are the
// transaction's, and its waits end in time.
import type {
  CursorPage,
  DriverConnection,
  DriverCursor,
  DriverStatement,
  SubmitOptions,
} from '../../driver/driver.ts';
import { StateError, UnsupportedError } from '../../errors/index.ts';
import type { ExecuteOptions } from '../executor.ts';
import type { ExecutionOptions } from '../options/execution-options.ts';

/** What a cursor needs of the executor it is opened on. */
export interface CursorHome {
  readonly settings: ExecutionOptions;
  readonly transactionNumber: number;
  use<T>(
    work: (connection: DriverConnection, options: SubmitOptions) => Promise<T>,
    options: ExecuteOptions,
  ): Promise<T>;
}

/** Rejects with `ATH_UNSUPPORTED` where the driver has no cursors, with `ATH_STATE` outside of a transaction. */
export async function openExecutorCursor(
  executor: CursorHome,
  statement: DriverStatement,
  options: ExecuteOptions,
): Promise<DriverCursor> {
  if (executor.settings.isolation === 'autocommit') {
    throw new StateError('A stream needs a transaction, and this connection runs in autocommit.', {
      outcome: 'not-sent',
    });
  }
  const cursor = await executor.use((connection, wait) => {
    if (connection.openCursor === undefined) throw new UnsupportedError('This driver cannot read a result in parts.');
    return connection.openCursor(statement, wait);
  }, options);
  const { transactionNumber } = executor;
  const over = (): boolean => executor.transactionNumber !== transactionNumber;
  return {
    fields: cursor.fields,
    async fetch(count: number, limits: SubmitOptions = {}): Promise<CursorPage> {
      if (over()) throw endedWithTransaction();
      return executor.use((_connection, wait) => cursor.fetch(count, wait), { ...options, ...limits });
    },
    async close(): Promise<void> {
      if (!over()) await cursor.close();
    },
  };
}

function endedWithTransaction(): StateError {
  return new StateError('The stream ended with the transaction it was opened in.', {
    hint: 'Read it to its end before commit() or rollback().',
    outcome: 'not-sent',
  });
}
