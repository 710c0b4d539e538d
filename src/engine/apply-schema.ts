// Many processes start at once and each makes sure that its tables exist. One works, the others wait, and what the
// first one did is harmless to do again.
import { schemasBy } from '../dialect/compile-cache.ts';
import type { DdlCompiler } from '../dialect/compiler.ts';
import type { Dialect } from '../dialect/dialect.ts';
import { CancelledError, StatementTimeoutError, UnsupportedError } from '../errors/index.ts';
import type { SchemaChange } from '../schema/metadata.ts';
import type { ConnectionExecutor } from './connection-executor.ts';
import type { SchemaConnection } from './events/engine-events.ts';
import { toldChange } from './events/schema-events.ts';
import type { WaitOptions } from './executor.ts';
import type { SchemaTranslateMap } from './options/execution-options.ts';
import { RawStatements } from './raw-statement.ts';
import { Result } from './result.ts';
import { RowCollector } from './row-collector.ts';
import { DriverRows } from './statement-rows.ts';
import { plainStatement } from './transaction-texts.ts';

/** Carries out a change of the schema inside the executor's transaction. */
export async function applySchema(
  executor: ConnectionExecutor,
  change: SchemaChange,
  options: WaitOptions,
): Promise<void> {
  const { dialect } = executor;
  const statements = ddlFor(dialect, executor.settings.schemaTranslateMap)
    .compile(change)
    .map((sql) => plainStatement(sql));
  if (statements.length === 0) return;
  const until = options.timeout === undefined ? undefined : performance.now() + options.timeout;
  const left = (): WaitOptions => ({
    signal: options.signal,
    timeout: until === undefined ? undefined : until - performance.now(),
  });
  // Nothing but BEGIN: the lock is taken first of all.
  await executor.submit([], new RowCollector(), left());
  if (executor.inTransaction) await locked(executor, left());
  const work = (): Promise<void> => executor.submit(statements, new RowCollector(), left());
  const { home } = executor.watch;
  if (home.hub.quiet) return work();
  await toldChange(home, change, { connection: connectionOf(executor), work });
}

/** What listeners may work with inside the change's transaction. */
function connectionOf(executor: ConnectionExecutor): SchemaConnection {
  const raw = new RawStatements();
  return { raw: (sql, params = []) => new Result(new DriverRows(executor, () => raw.make(sql, params), {})) };
}

/** The DDL of a dialect, on other schemas where there is a map. Throws `ATH_UNSUPPORTED` where the database has none. */
export function ddlFor({ ddl }: Dialect, map: SchemaTranslateMap | undefined): DdlCompiler {
  if (map === undefined) return ddl;
  const other = ddl.withSchemas?.(schemasBy(map));
  if (other === undefined) throw new UnsupportedError('This database has no schemas to translate.');
  return other;
}

/** Takes the lock; a wait for it that is given up costs the connection, for nobody could say what it holds. */
async function locked(executor: ConnectionExecutor, { signal, timeout }: WaitOptions): Promise<void> {
  const lease = await executor.open();
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const givenUp = new Promise<never>((_resolve, reject) => {
    if (timeout !== undefined) {
      timer = setTimeout(() => {
        reject(
          new StatementTimeoutError(`The schema was not free within ${Math.round(timeout)} ms.`, { outcome: 'failed' }),
        );
      }, timeout);
    }
    onAbort = () => reject(new CancelledError('Cancelled while waiting for the schema.', { cause: signal?.reason }));
    signal?.addEventListener('abort', onAbort);
  });
  try {
    await Promise.race([executor.dialect.lockSchema(lease.connection), givenUp]);
  } catch (error) {
    lease.invalidate('its wait for the schema was given up');
    throw executor.dialect.translate(error);
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
  }
}
