// A result of SQLite's read in parts: SQLite computes a row when it is asked for one, so nothing is held but the page.
import type { CursorPage, DriverCursor, Field, Scalar, SubmitOptions } from '../../../driver/driver.ts';
import { CancelledError, UsageError } from '../../../errors/index.ts';
import { translateSqliteError } from '../errors.ts';
import type { PreparedStatement } from './prepared-statement.ts';

export interface SqliteCursorOptions {
  readonly params: readonly Scalar[];
  readonly sql: string;
  /** Does the work when it is its turn on the connection. */
  readonly turn: (work: () => boolean) => Promise<void>;
  readonly ended: (cursor: SqliteCursor) => void;
}

export class SqliteCursor implements DriverCursor {
  readonly fields: readonly Field[];
  readonly #options: SqliteCursorOptions;
  readonly #rows: Generator<Scalar[], void, undefined>;
  #closed = false;

  constructor(statement: PreparedStatement, options: SqliteCursorOptions) {
    this.#options = options;
    this.fields = statement.fields();
    this.#rows = statement.rows(options.params);
  }

  async fetch(count: number, { signal }: SubmitOptions = {}): Promise<CursorPage> {
    if (!Number.isSafeInteger(count) || count < 1) throw new UsageError('fetch() takes a whole number from 1.');
    const rows: Scalar[][] = [];
    let done = this.#closed;
    await this.#options.turn(() => {
      if (signal?.aborted === true) throw new CancelledError('The fetch was cancelled.', { cause: signal.reason });
      done = this.#read(rows, count);
      return true;
    });
    return { rows, done };
  }

  close(): Promise<void> {
    this.end();
    return Promise.resolve();
  }

  /** At once: nothing of it is under way between two fetches. */
  end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.ended(this);
    this.#rows.return();
  }

  #read(rows: Scalar[][], count: number): boolean {
    if (this.#closed) return true;
    try {
      while (rows.length < count) {
        const next = this.#rows.next();
        if (next.done === true) {
          this.end();
          return true;
        }
        rows.push(next.value);
      }
      return false;
    } catch (thrown) {
      this.end();
      throw translateSqliteError(thrown, { sql: this.#options.sql, statementIndex: 0 });
    }
  }
}
