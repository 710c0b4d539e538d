// What became of a COMMIT whose answer was lost. The transaction's number is asked for with the first write, in the same
// trip; afterwards the server is asked what it knows of that number.
import type { DriverStatement } from '../../driver/driver.ts';
import type { OutcomeSql } from '../../dialect/dialect.ts';
import { CommitOutcomeUnknownError, TimeoutError, UnsupportedError, UsageError } from '../../errors/index.ts';
import type { WaitOptions } from '../executor.ts';
import { plainStatement } from '../transaction-texts.ts';

/** What a server says of a transaction: it is in the database, it is not, or nobody knows any more. */
export type TransactionOutcome = 'committed' | 'aborted' | 'forgotten';

const PAUSE = 50;
const DEFAULT_TIMEOUT = 10_000;

/** The number of the transaction under way, as far as it is known. */
export class OutcomeTrack {
  /** Asks for it; rides behind a batch. */
  readonly statement: DriverStatement;
  #number: string | null | undefined;

  constructor(sql: OutcomeSql) {
    this.statement = plainStatement(sql.number, true);
  }

  /** Whether the number is still to be asked for. */
  get wanted(): boolean {
    return typeof this.#number !== 'string';
  }
  /** `null` where the transaction has written nothing yet; `undefined` where it was not asked. */
  get number(): string | null | undefined {
    return this.#number;
  }
  /** What the server answered. */
  answered(row: readonly unknown[] | undefined): void {
    if (row === undefined) return;
    const [number] = row;
    this.#number = typeof number === 'string' ? number : null;
  }
  /** The transaction is over. */
  forget(): void {
    this.#number = undefined;
  }
}

export interface OutcomeQuery extends WaitOptions {
  /** Asks the server, on whatever connection; `null` where it does not know. */
  readonly ask: (transactionId: string, wait: WaitOptions) => Promise<string | null>;
}

/** Settles once the server says how it ended. Rejects with `ATH_TIMEOUT` where it is still under way at the deadline. */
export async function resolvedOutcome(error: unknown, query: OutcomeQuery): Promise<TransactionOutcome> {
  const { signal, timeout = DEFAULT_TIMEOUT, ask } = query;
  const transactionId = transactionOf(error);
  // Nothing was written, so nothing can be missing.
  if (transactionId === null) return 'committed';
  const until = performance.now() + timeout;
  for (;;) {
    const status = await ask(transactionId, { signal, timeout: until - performance.now() });
    if (status === 'committed' || status === 'aborted') return status;
    if (status === null) return 'forgotten';
    if (performance.now() + PAUSE >= until) {
      throw new TimeoutError(`The transaction was still ${status} after ${timeout} ms.`, { timeout, cause: error });
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

function transactionOf(error: unknown): string | null {
  for (let one = error; one instanceof Error; one = one.cause) {
    if (!(one instanceof CommitOutcomeUnknownError)) continue;
    if (one.transactionId !== undefined) return one.transactionId;
    throw new UsageError('The transaction was not tracked, so that nobody can say what became of it.', {
      hint: 'Make the engine with { trackOutcome: true }, or begin with it.',
      cause: error,
    });
  }
  throw new UsageError('resolveOutcome() takes the CommitOutcomeUnknownError that commit() rejected with.');
}

/** Throws `ATH_UNSUPPORTED` where the database cannot say. */
export function outcomeSql(sql: OutcomeSql | undefined): OutcomeSql {
  if (sql !== undefined) return sql;
  throw new UnsupportedError('This database cannot say afterwards what became of a transaction.');
}
