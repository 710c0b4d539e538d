// The rows of a statement that was asked for and may not have run yet. It is awaited for all of them, or asked for a
// view first: by position, one value a row, exactly one. The statement runs by the next microtask, awaited or not.
import {
  MultipleResultsError,
  NoResultError,
  NOT_TRANSFERABLE,
  StateError,
  type TransferGuard,
  transferGuard,
  UsageError,
} from '../errors/index.ts';
import type { CallSite } from '../primitives/call-site.ts';
import { ResultWatch } from './result-watch.ts';

/** In which form rows are wanted. */
export type RowForm = 'objects' | 'tuples' | 'scalars';

/** What a statement says beside its rows; filled by the source. */
export interface StatementFacts {
  /** Rows affected or returned. */
  count: number | undefined;
}

/** Runs the statement and makes its rows. Called once; it may throw as well as reject. */
export type ResultSource = (form: RowForm, facts: StatementFacts) => Promise<unknown[]>;

type ScalarOf<T> = T extends readonly [infer First, ...unknown[]] ? First : unknown;

const GUARD = transferGuard('A result', 'Send the rows: await it first.');

/** Rows to come. `R` is a row by name, `T` the same by position. Awaiting it gives all rows. */
export class Result<R, T = never> implements PromiseLike<R[]>, AsyncIterable<R> {
  readonly [NOT_TRANSFERABLE]: TransferGuard = GUARD;
  readonly #source: ResultSource;
  readonly #facts: StatementFacts = { count: undefined };
  readonly #watch: ResultWatch;
  #form: RowForm = 'objects';
  #rows: Promise<unknown[]> | undefined;

  static #waiting: Result<unknown, unknown>[] = [];

  /** `site` says who asked, for the warning about a result that nobody reads. */
  constructor(source: ResultSource, site?: CallSite) {
    this.#source = source;
    this.#watch = new ResultWatch(site);
    if (Result.#waiting.push(this as Result<unknown, unknown>) === 1) queueMicrotask(Result.startPending);
  }

  /** Starts the statements that were asked for in this tick: what ends a transaction must come behind them. */
  static startPending(this: void): void {
    const waiting = Result.#waiting;
    if (waiting.length === 0) return;
    Result.#waiting = [];
    for (const result of waiting) {
      try {
        result.#rows ??= result.#source(result.#form, result.#facts);
      } catch (error) {
        result.#rows = Promise.reject(error);
      }
    }
    // Awaiting takes a microtask to be seen.
    queueMicrotask(() => {
      for (const result of waiting) result.#watch.look(result, result.#rows as Promise<unknown[]>);
    });
  }

  // oxlint-disable-next-line unicorn/no-thenable -- awaiting a result is its purpose
  then<A = R[], B = never>(
    onRows?: ((rows: R[]) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#read().then(onRows, onError);
  }

  /** All rows. */
  all(): Promise<R[]> {
    return this.#read();
  }

  /** The first row, if there is one. */
  async first(): Promise<R | null> {
    const [row = null] = await this.#read();
    return row;
  }

  /** The only row. Rejects with `ATH_NO_RESULT` or `ATH_MULTIPLE_RESULTS`. */
  async one(): Promise<R> {
    const rows = await this.#read();
    if (rows.length === 0) throw new NoResultError('The statement returned no row; exactly one was asked for.');
    return only(rows);
  }

  /** The only row, or `null` where there is none. Rejects with `ATH_MULTIPLE_RESULTS`. */
  async oneOrNull(): Promise<R | null> {
    const rows = await this.#read();
    return rows.length === 0 ? null : only(rows);
  }

  /** How many rows the statement affected or returned, where the database says. */
  async count(): Promise<number | undefined> {
    await this.#read();
    return this.#facts.count;
  }

  /** The same rows by position. To be asked for before the statement runs. */
  tuples(): Result<T, T> {
    return this.#as('tuples') as unknown as Result<T, T>;
  }

  /** The first value of each row. To be asked for before the statement runs. */
  scalars(): Result<ScalarOf<T>> {
    return this.#as('scalars') as unknown as Result<ScalarOf<T>>;
  }

  /** The same rows by name, which is what they are unless something else was asked for. */
  mappings(): Result<R, T> {
    return this.#as('objects');
  }

  /** The rows in parts of at most `size`. */
  async *partitions(size: number): AsyncGenerator<R[], void, undefined> {
    if (!(size >= 1)) throw new UsageError(`partitions() takes a size of at least 1, not ${String(size)}.`);
    const rows = await this.#read();
    for (let start = 0; start < rows.length; start += size) yield rows.slice(start, start + size);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<R, void, undefined> {
    yield* await this.#read();
  }

  #read(): Promise<R[]> {
    this.#watch.read(this);
    if (this.#rows === undefined) Result.startPending();
    return this.#rows as Promise<R[]>;
  }

  #as(form: RowForm): this {
    if (this.#form === form) return this;
    if (this.#rows !== undefined) {
      throw new StateError(`The statement runs already; ask for ${form} where it is executed.`, {
        hint: `await connection.execute(statement).${form}()`,
      });
    }
    this.#form = form;
    return this;
  }

  toJSON(): Record<string, unknown> {
    return GUARD.json({ started: this.#rows !== undefined });
  }
}

function only<R>(rows: readonly R[]): R {
  if (rows.length > 1) {
    throw new MultipleResultsError(`The statement returned ${rows.length} rows; one was asked for.`, {
      hint: 'first() takes the first of several.',
    });
  }
  return rows[0] as R;
}
