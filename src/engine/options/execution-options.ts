// What can be said about how statements run, at any of three places: the engine, a connection, one statement. What is
// said closer to the statement wins.
import { UsageError } from '../../errors/index.ts';
import type { WaitOptions } from './wait-options.ts';
import type { TransactionOptions } from '../transaction-texts.ts';
import { joinedTags, type Tags } from './query-tags.ts';

/** Which schema takes the place of which: `{ tenant: 'tenant_7' }`. The key `''` is for tables that name none. */
export type SchemaTranslateMap = Readonly<Record<string, string>>;

/** What holds for one statement and those around it. */
export interface StatementSettings {
  /** Other schemas than the tables name. */
  readonly schemaTranslateMap?: SchemaTranslateMap | undefined;
  /** Comments behind each statement, for the server's logs. A function is asked for each statement, which is then not prepared. */
  readonly tags?: Tags | undefined;
  /** Rows a stream fetches at a time. Default: a growing number. */
  readonly yieldPer?: number | undefined;
  /** The most rows a stream fetches at a time where `yieldPer` does not say. Default 1000. */
  readonly maxRowBuffer?: number | undefined;
}

/** How one statement runs. */
export interface StatementOptions extends StatementSettings, WaitOptions {}

/** How the statements and transactions of an engine or connection run. Frozen; a layer is put over another, never changed. */
export interface ExecutionOptions extends TransactionOptions, StatementSettings {
  /** Notes the transaction's number with its first write, so that `engine.resolveOutcome()` can say what became of a lost COMMIT. */
  readonly trackOutcome?: boolean | undefined;
  /** What logs call this use of a connection. */
  readonly logToken?: string | undefined;
}

/** The names of the options, for those who check what they are given. */
export const EXECUTION_OPTIONS: readonly (keyof ExecutionOptions)[] = Object.freeze([
  'isolation',
  'readOnly',
  'deferrable',
  'schemaTranslateMap',
  'tags',
  'yieldPer',
  'maxRowBuffer',
  'trackOutcome',
  'logToken',
]);

/** `over` put over `below`. Tags are joined, name by name; of everything else the upper one holds. Throws `ATH_USAGE` for an unknown name. */
export function layered(below: ExecutionOptions, over: ExecutionOptions): ExecutionOptions {
  const given = Object.entries(over).filter(([, value]) => value !== undefined);
  for (const [name] of given) {
    if ((EXECUTION_OPTIONS as readonly string[]).includes(name)) continue;
    throw new UsageError(`There is no execution option ${name}.`, {
      hint: `There are ${EXECUTION_OPTIONS.join(', ')}.`,
    });
  }
  if (given.length === 0) return below;
  const tags = over.tags === undefined ? below.tags : joinedTags(below.tags, over.tags);
  return Object.freeze({ ...below, ...Object.fromEntries(given), ...(tags === undefined ? {} : { tags }) });
}
