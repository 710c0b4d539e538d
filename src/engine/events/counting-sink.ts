// Passes a batch's answers on and counts them.
import type { Completion, Field, Sink } from '../../driver/driver.ts';
import type { Scalar } from '../../types/wire.ts';

export class CountingSink implements Sink {
  readonly #sink: Sink;
  readonly #rows: number[] = [];
  readonly #completions: Completion[] = [];

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** Rows a statement returned or affected, where that is known. */
  rows(statement: number): number | undefined {
    return this.#rows[statement] ?? this.#completions[statement]?.count;
  }

  /** Whether a statement was answered to its end. */
  isDone(statement: number): boolean {
    return this.#completions[statement] !== undefined;
  }

  fields(statement: number, fields: readonly Field[]): void {
    this.#rows[statement] ??= 0;
    this.#sink.fields?.(statement, fields);
  }
  row(statement: number, row: Scalar[]): void {
    this.#rows[statement] = (this.#rows[statement] ?? 0) + 1;
    this.#sink.row(statement, row);
  }
  done(statement: number, completion: Completion): void {
    this.#completions[statement] = completion;
    this.#sink.done?.(statement, completion);
  }
}
