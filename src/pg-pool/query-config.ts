// The many shapes in which `pg` lets a query be written, as one.
import { UsageError } from '../errors/index.ts';
import type { QueryResult } from './query-result.ts';
import type { CustomTypes } from './text-types.ts';

/** A query as an object. */
export interface QueryConfig {
  readonly text: string;
  readonly values?: readonly unknown[] | undefined;
  /** The statement is prepared once a connection, under this name. */
  readonly name?: string | undefined;
  /** `array`: rows are arrays rather than objects. */
  readonly rowMode?: string | undefined;
  readonly types?: CustomTypes | undefined;
  /** Milliseconds. */
  readonly query_timeout?: number | undefined;
}

/** How a caller without promises hears of the end. */
// oxlint-disable-next-line typescript/no-explicit-any -- rows are whatever the caller says they are
export type QueryCallback = (error: Error | null | undefined, result: QueryResult<any>) => void;

export interface QueryCall {
  readonly config: QueryConfig;
  readonly callback: QueryCallback | undefined;
}

/** The arguments of `query()`, whichever way they were given. Throws `ATH_USAGE` on what is no query, and on submittables. */
export function readQuery(args: readonly unknown[]): QueryCall {
  const [query, second, third] = args;
  const callback = [second, third].find((one) => typeof one === 'function') as QueryCallback | undefined;
  const values = Array.isArray(second) ? (second as unknown[]) : undefined;
  if (typeof query === 'string') return { config: { text: query, values }, callback };
  if (typeof query !== 'object' || query === null) throw refused('A query is a text or an object with a text.');
  if ('submit' in query && typeof query.submit === 'function') {
    throw refused('A submittable query (a cursor, a stream) needs a connection of the pg package.');
  }
  const config = query as QueryConfig & { readonly callback?: QueryCallback };
  if (typeof config.text !== 'string') throw refused('A query object needs a text.');
  return { config: { ...config, values: values ?? config.values }, callback: callback ?? config.callback };
}

function refused(message: string): UsageError {
  return new UsageError(message, { outcome: 'not-sent' });
}
