// Takes in the rows of one statement as they come. They are turned into what the caller reads after the answer is
// complete: a value that cannot be read must fail its reader, not the connection.
import type { Completion, Field, Sink } from '../driver/driver.ts';
import type { Scalar } from '../types/wire.ts';

/** The answer to a batch of one. */
export class RowCollector implements Sink {
  readonly received: Scalar[][] = [];
  columns: readonly Field[] | undefined;
  completion: Completion | undefined;

  fields(_statement: number, fields: readonly Field[]): void {
    this.columns = fields;
  }
  row(_statement: number, row: Scalar[]): void {
    this.received.push(row);
  }
  done(_statement: number, completion: Completion): void {
    this.completion = completion;
  }
}

/** Passes the answers of a batch on whose first statements the caller did not send, and keeps the last one's word. */
export class FramedSink implements Sink {
  readonly #sink: Sink;
  readonly #before: number;
  readonly #count: number;
  /** How the statement behind the caller's ended. */
  after: Completion | undefined;
  /** The last row of the statement behind the caller's, where it returns any. */
  afterRow: readonly Scalar[] | undefined;

  constructor(sink: Sink, before: number, count: number) {
    this.#sink = sink;
    this.#before = before;
    this.#count = count;
  }
  fields(statement: number, fields: readonly Field[]): void {
    if (this.#inside(statement)) this.#sink.fields?.(statement - this.#before, fields);
  }
  row(statement: number, row: Scalar[]): void {
    if (this.#inside(statement)) this.#sink.row(statement - this.#before, row);
    else if (statement >= this.#before) this.afterRow = row;
  }
  done(statement: number, completion: Completion): void {
    if (this.#inside(statement)) this.#sink.done?.(statement - this.#before, completion);
    else if (statement >= this.#before) this.after = completion;
  }
  #inside(statement: number): boolean {
    return statement >= this.#before && statement < this.#before + this.#count;
  }
}
