// One statement as SQLite prepared it, with its ways in and out chosen once: encoders for its parameters, decoders for
// its columns.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Completion, Field, Scalar, Sink, StatementText } from '../../../driver/driver.ts';
import { DataError, ProgrammingError, UsageError } from '../../../errors/index.ts';
import { translateSqliteError } from '../errors.ts';
import { isBusy } from './busy.ts';
import { type RowDecoder, rowDecoder } from './decode-column.ts';
import { type Bindable, type Encode, parameterEncoder } from './encode-parameter.ts';
import { deliver } from './sink-failure.ts';
import { bindingOf, type Bindings } from './numbered-parameters.ts';
import { scanCommand } from './statement-scan.ts';

/** Commands after which SQLite's count of changes is about them, not about an earlier statement. */
const COUNTED = new Set(['INSERT', 'UPDATE', 'DELETE', 'REPLACE']);

export class PreparedStatement {
  readonly command: string;
  readonly #statement: StatementSync;
  readonly #encoders: readonly Encode[];
  readonly #bind: (values: Bindable[]) => Bindings;
  /** `undefined` for a statement that returns no rows. */
  readonly #decoder: RowDecoder | undefined;
  /** Of the run under way. */
  #setsDone = 0;

  constructor(database: DatabaseSync, text: StatementText) {
    this.command = scanCommand(text.sql);
    this.#encoders = text.params.map(parameterEncoder);
    this.#bind = bindingOf(database, text.sql);
    this.#statement = database.prepare(text.sql);
    const columns = this.#statement.columns();
    if (columns.length === 0) return;
    this.#decoder = rowDecoder(columns, text.results ?? []);
    this.#statement.setReturnArrays(true);
    this.#statement.setReadBigInts(this.#decoder.readBigInts);
  }

  /** Runs it once for each parameter set and pushes what comes into the sink. */
  run(sets: readonly (readonly Scalar[])[], sink: Sink, index: number): void {
    this.#setsDone = 0;
    try {
      const completion = this.#decoder === undefined ? this.#change(sets) : this.#read(sets, sink, index);
      deliver(() => sink.done?.(index, completion));
    } catch (error) {
      // What has had an effect must not look as if it could simply be run again.
      throw this.#setsDone > 0 && isBusy(error) ? translateSqliteError(error) : error;
    }
  }

  /** What columns it returns. Throws `ATH_USAGE` where it returns none. */
  fields(): readonly Field[] {
    if (this.#decoder === undefined) throw new UsageError('A cursor needs a statement that returns rows.');
    return this.#statement.columns().map(({ name, type }) => ({ name, type: type ?? '' }));
  }

  /** Its rows one by one. It must not be run for anything else until they are read or `return()` was called. */
  *rows(params: readonly Scalar[]): Generator<Scalar[], void, undefined> {
    const rows = this.#statement.iterate(...this.#list(params)) as unknown as IterableIterator<Scalar[]>;
    for (const row of rows) {
      this.#decoder?.decode(row);
      yield row;
    }
  }

  #change(sets: readonly (readonly Scalar[])[]): Completion {
    let count = 0;
    for (const set of sets) {
      count += Number(this.#statement.run(...this.#list(set)).changes);
      this.#setsDone++;
    }
    return { command: this.command, count: COUNTED.has(this.command) ? count : undefined };
  }

  #read(sets: readonly (readonly Scalar[])[], sink: Sink, index: number): Completion {
    let count = 0;
    for (const set of sets) {
      // The types speak of objects; setReturnArrays made them arrays.
      const rows = this.#statement.all(...this.#list(set)) as unknown as Scalar[][];
      for (const row of rows) this.#decoder?.decode(row);
      if (this.#setsDone++ === 0) this.#describe(sink, index);
      deliver(() => {
        for (const row of rows) sink.row(index, row);
      });
      count += rows.length;
    }
    return { command: this.command, count };
  }

  /** Asked of SQLite after each run: a changed table gives the statement other columns when it runs. */
  #describe(sink: Sink, index: number): void {
    if (sink.fields === undefined) return;
    const fields = this.fields();
    deliver(() => sink.fields?.(index, fields));
  }

  /** The types know lists of values and an object before one, but not that either is right. */
  #list(params: readonly Scalar[]): Bindable[] {
    return this.#bind(this.#encode(params)) as Bindable[];
  }

  #encode(params: readonly Scalar[]): Bindable[] {
    // SQLite reads a parameter that was not given as NULL.
    if (params.length !== this.#encoders.length) {
      throw new ProgrammingError(
        `The statement takes ${this.#encoders.length} parameters and was given ${params.length}.`,
      );
    }
    return params.map((value, at) => {
      try {
        return (this.#encoders[at] as Encode)(value);
      } catch (error) {
        throw error instanceof DataError
          ? new DataError(`Parameter ${at + 1}: ${error.message}`, { cause: error })
          : error;
      }
    });
  }
}
