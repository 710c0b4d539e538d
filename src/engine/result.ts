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
import { type Paging, type RowPages, RowStream, type StreamOptions } from './rows/row-stream.ts';
import { distinctRows } from './rows/distinct-rows.ts';

/** In which form rows are wanted. */
export type RowForm = 'objects' | 'tuples' | 'scalars';

/** What a statement says beside its rows; filled by the source. */
export interface StatementFacts {
  /** Rows affected or returned. */
  count: number | undefined;
}

/** Runs the statement and makes its rows. Called once; it may throw as well as reject. */
export type RunRows = (form: RowForm, facts: StatementFacts) => Promise<unknown[]>;

/** What an INSERT can be asked for beside its rows. */
export type InsertFact = 'keys' | 'defaults';

/** A statement that can be read in more ways than all at once. Each is called at most once, and instead of the others. */
export interface RowSource {
  rows(form: RowForm, facts: StatementFacts): Promise<unknown[]>;
  /** The rows in pages, kept by the server until they are asked for. */
  pages(form: RowForm): Promise<RowPages>;
  /** Runs an INSERT for what the server made of it, a record a row. */
  inserted(what: InsertFact, facts: StatementFacts): Promise<unknown[]>;
  /** Where in a row these columns stand. */
  positions(columns: readonly unknown[]): readonly number[];
  /** How many rows a stream fetches at a time. */
  readonly paging: Paging;
}

/** A function where there is but one way. */
export type ResultSource = RunRows | RowSource;

type ScalarOf<T> = T extends readonly [infer First, ...unknown[]] ? First : unknown;

const GUARD = transferGuard('A result', 'Send the rows: await it first.');

/** Rows to come. `R` is a row by name, `T` the same by position. Awaiting it gives all rows. */
export class Result<R, T = never> implements PromiseLike<R[]>, AsyncIterable<R> {
  readonly [NOT_TRANSFERABLE]: TransferGuard = GUARD;
  readonly #source: ResultSource;
  readonly #facts: StatementFacts = { count: undefined };
  readonly #watch: ResultWatch;
  #form: RowForm = 'objects';
  /** What is asked for instead of rows. */
  #fact: InsertFact | undefined;
  /** What is done with the rows, list by list, before they are given. Made anew for each reading. */
  #steps: (() => RowStep)[] | undefined;
  #rows: Promise<unknown[]> | undefined;
  /** It is part of another, which starts it. */
  #held = false;

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
        if (result.#rows !== undefined || result.#held) continue;
        const source = result.#source;
        if (typeof source === 'function') result.#rows = source(result.#form, result.#facts);
        else if (result.#fact === undefined) result.#rows = source.rows(result.#form, result.#facts);
        else result.#rows = source.inserted(result.#fact, result.#facts);
        const step = result.#step();
        if (step !== undefined) result.#rows = result.#rows.then(step);
      } catch (error) {
        result.#rows = Promise.reject(error);
      }
    }
    // Awaiting takes a microtask to be seen.
    queueMicrotask(() => {
      for (const result of waiting) if (!result.#held) result.#watch.look(result, result.#rows as Promise<unknown[]>);
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
  async oneOrNone(): Promise<R | null> {
    const rows = await this.#read();
    return rows.length === 0 ? null : only(rows);
  }

  /** The first value of the first row, or `null` where there is none. To be asked for before the statement runs. */
  async scalar(): Promise<ScalarOf<T> | null> {
    const [value = null] = await this.#as('scalars').#read();
    return value as ScalarOf<T> | null;
  }

  /** How many rows the statement affected or returned, where the database says. */
  async rowCount(): Promise<number | undefined> {
    await this.#read();
    return this.#facts.count;
  }

  /** The primary key of the one row an INSERT wrote, by column. Rejects as `one()`, and with `ATH_USAGE` for another statement. */
  async insertedPrimaryKey(): Promise<Readonly<Record<string, unknown>>> {
    const keys = await this.insertedPrimaryKeys();
    if (keys.length === 0) throw new NoResultError('The statement wrote no row; exactly one was asked for.');
    return only(keys);
  }

  /** The primary keys an INSERT wrote, in the order of its rows. To be asked for before the statement runs. */
  insertedPrimaryKeys(): Promise<readonly Readonly<Record<string, unknown>>[]> {
    return this.#inserted('keys');
  }

  /** What the server filled in for the columns an INSERT did not give, a record a row. To be asked for before the statement runs. */
  returnedDefaults(): Promise<readonly Readonly<Record<string, unknown>>[]> {
    return this.#inserted('defaults');
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

  /**
   * Rows by position, only these columns of them: by their attribute, their name in the row or their place, counted
   * from 0. An attribute finds its column where names do not tell. To be asked for before the statement runs.
   */
  columns(...columns: readonly (string | number | object)[]): Result<unknown[], unknown[]> {
    const source = this.#ways('columns');
    const picked = this.#as('tuples') as unknown as Result<unknown[], unknown[]>;
    picked.#then(() => {
      const at = source.positions(columns);
      return (rows) => rows.map((row) => at.map((index) => (row as readonly unknown[])[index]));
    });
    return picked;
  }

  /** Each row once: the first of those that are equal by value, or by what `by` makes of them. To be asked for before the statement runs. */
  unique(by?: (row: R) => unknown): this {
    this.#then(() => distinctRows(by as ((row: unknown) => unknown) | undefined));
    return this;
  }

  /** The rows in parts of at most `size`; from the server in such parts where `yieldPer` was given. */
  async *partitions(size: number): AsyncGenerator<R[], void, undefined> {
    if (!(size >= 1)) throw new UsageError(`partitions() takes a size of at least 1, not ${String(size)}.`);
    if (this.#streamed) {
      yield* this.stream().partitions(size);
      return;
    }
    const rows = await this.#read();
    for (let start = 0; start < rows.length; start += size) yield rows.slice(start, start + size);
  }

  /**
   * The rows as they are read: the server keeps the rest, and the next page is asked for when the last one was taken.
   * Needs a transaction. To be asked for before the statement runs. Throws `ATH_STATE` or `ATH_USAGE`.
   */
  stream(options: StreamOptions = {}): RowStream<R> {
    const source = this.#ways('stream');
    if (this.#rows !== undefined) throw tooLate('stream');
    // Whoever awaits it as well is told; the statement itself runs once, as a cursor.
    this.#rows = Promise.reject(new StateError('The rows of this result are read as a stream.'));
    this.#rows.catch(() => undefined);
    this.#watch.read(this);
    const step = this.#step();
    return new RowStream<R>({
      open: () => source.pages(this.#form),
      step: step as ((rows: unknown[]) => R[]) | undefined,
      paging: { ...source.paging, ...options },
    });
  }

  /** The rows, to be read again as often as wanted, as results of their own. */
  async freeze(): Promise<() => Result<R, T>> {
    const form = this.#form;
    const rows: readonly R[] = await this.#read();
    const { count } = this.#facts;
    return () => {
      const thawed = new Result<R, T>((wanted, facts) => {
        facts.count = count;
        return Promise.resolve(rows.map((row) => reshaped(row, form, wanted)));
      });
      thawed.#form = form;
      return thawed;
    };
  }

  /** Its rows and behind them those of the others, which must be alike. */
  merge(...others: readonly Result<R, T>[]): Result<R, T> {
    const all = [this, ...others];
    for (const one of all) {
      if (one.#rows !== undefined) throw tooLate('a merged result');
      // It runs with the merged one, in the form that is asked of that.
      one.#held = true;
    }
    return new Result<R, T>(async (form, facts) => {
      for (const one of all) {
        one.#held = false;
        one.#form = form;
        Result.#waiting.push(one as Result<unknown, unknown>);
      }
      const lists = await Promise.all(all.map((one) => one.#read()));
      facts.count = all.reduce((sum, one) => sum + (one.#facts.count ?? 0), 0);
      return lists.flat();
    });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<R, void, undefined> {
    if (this.#streamed) yield* this.stream();
    else yield* await this.#read();
  }

  /** Reading it row by row reads it as a stream. */
  get #streamed(): boolean {
    return this.#rows === undefined && typeof this.#source !== 'function' && this.#source.paging.yieldPer !== undefined;
  }

  #then(step: () => RowStep): void {
    if (this.#rows !== undefined) throw tooLate('another view');
    this.#steps = [...(this.#steps ?? []), step];
  }

  #step(): RowStep | undefined {
    const steps = this.#steps?.map((make) => make());
    return steps === undefined ? undefined : (rows) => steps.reduce((given, step) => step(given), rows);
  }

  #ways(call: string): RowSource {
    if (typeof this.#source !== 'function') return this.#source;
    throw new UsageError(
      `${call}() is not for this result: its rows are there already, or a session makes entities of them.`,
    );
  }

  #inserted(what: InsertFact): Promise<readonly Readonly<Record<string, unknown>>[]> {
    this.#watch.read(this);
    try {
      this.#ways(what === 'keys' ? 'insertedPrimaryKey' : 'returnedDefaults');
      if (this.#rows !== undefined) throw tooLate(what === 'keys' ? 'its keys' : 'its defaults');
      this.#fact = what;
    } catch (error) {
      return Promise.reject(error);
    }
    Result.startPending();
    return this.#rows as unknown as Promise<Readonly<Record<string, unknown>>[]>;
  }

  #read(): Promise<R[]> {
    this.#watch.read(this);
    if (this.#rows === undefined) Result.startPending();
    return this.#rows as Promise<R[]>;
  }

  #as(form: RowForm): this {
    if (this.#form === form) return this;
    if (this.#rows !== undefined) throw tooLate(form);
    if (this.#steps !== undefined) {
      throw new UsageError(`Ask for ${form} first: unique() and columns() see rows in the form they have by then.`);
    }
    this.#form = form;
    return this;
  }

  toJSON(): Record<string, unknown> {
    return GUARD.json({ started: this.#rows !== undefined });
  }
}

type RowStep = (rows: unknown[]) => unknown[];

function tooLate(what: string): StateError {
  return new StateError(`The statement runs already; ask for ${what} where it is executed.`, {
    hint: 'In one expression: await connection.execute(statement).tuples()',
  });
}

/** A row that was read in one form, in another. */
function reshaped(row: unknown, form: RowForm, wanted: RowForm): unknown {
  if (form === wanted || form === 'scalars') return row;
  const values = form === 'tuples' ? (row as readonly unknown[]) : Object.values(row as object);
  if (wanted === 'scalars') return values[0];
  if (wanted === 'tuples') return [...values];
  throw new StateError('The rows were frozen by position: their names are not known.');
}

function only<R>(rows: readonly R[]): R {
  if (rows.length > 1) {
    throw new MultipleResultsError(`The statement returned ${rows.length} rows; one was asked for.`, {
      hint: 'first() takes the first of several.',
    });
  }
  return rows[0] as R;
}
