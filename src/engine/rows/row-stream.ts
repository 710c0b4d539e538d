// Rows as they are read. The next page is asked for when the last row of the one before was taken, so the reader's pace
// is the server's, and no more than a page is ever held. Whoever stops early closes the server's side too.
import { NOT_TRANSFERABLE, StateError, type TransferGuard, transferGuard, UsageError } from '../../errors/index.ts';

/** How many rows are fetched at a time. */
export interface Paging {
  /** Always so many. */
  readonly yieldPer?: number | undefined;
  /** Otherwise a few first, and more each time, up to so many. Default 1000. */
  readonly maxRowBuffer?: number | undefined;
}

export type StreamOptions = Paging;

/** One page of rows in the form asked for. */
export interface RowPage {
  readonly rows: unknown[];
  readonly done: boolean;
}

/** Rows kept by the server. */
export interface RowPages {
  next(count: number): Promise<RowPage>;
  close(): Promise<void>;
}

export interface RowStreamOptions<R> {
  readonly open: () => Promise<RowPages>;
  /** What is done with each page before it is given. */
  readonly step: ((rows: unknown[]) => R[]) | undefined;
  readonly paging: Paging;
}

const FIRST = 20;
const GROWTH = 5;
const MOST = 1000;

const GUARD = transferGuard('A stream of rows', 'Send the rows, or let the other side run the statement.');

/** Rows to be read once, one by one or in parts. It ends with its transaction at the latest. */
export class RowStream<R> implements AsyncIterable<R> {
  readonly [NOT_TRANSFERABLE]: TransferGuard = GUARD;
  readonly #options: RowStreamOptions<R>;
  readonly #most: number;
  #pages: Promise<RowPages> | undefined;
  #size: number;
  #taken = false;
  #ended = false;

  /** @internal */
  constructor(options: RowStreamOptions<R>) {
    const { yieldPer, maxRowBuffer = MOST } = options.paging;
    checkSize('yieldPer', yieldPer);
    checkSize('maxRowBuffer', maxRowBuffer);
    this.#options = options;
    this.#most = yieldPer ?? maxRowBuffer;
    this.#size = yieldPer ?? Math.min(FIRST, maxRowBuffer);
  }

  /** The rows one by one. Leaving the loop closes the stream. Rejects with what the database answers. */
  async *[Symbol.asyncIterator](): AsyncGenerator<R, void, undefined> {
    for await (const rows of this.#read()) yield* rows;
  }

  /** The rows in parts of `size`, which is also how many are fetched at a time; without it as they are fetched. */
  async *partitions(size?: number): AsyncGenerator<R[], void, undefined> {
    checkSize('size', size);
    let held: R[] = [];
    for await (const rows of this.#read(size)) {
      if (size === undefined) {
        yield rows;
        continue;
      }
      held = held.length === 0 ? rows : [...held, ...rows];
      for (; held.length >= size; held = held.slice(size)) yield held.slice(0, size);
    }
    if (held.length > 0) yield held;
  }

  /** All rows that are left. */
  async all(): Promise<R[]> {
    const all: R[] = [];
    for await (const rows of this.#read()) for (const row of rows) all.push(row);
    return all;
  }

  /** The first row, if there is one; the rest is not read. */
  async first(): Promise<R | null> {
    for await (const rows of this.#read(1)) for (const row of rows) return row;
    return null;
  }

  /** Lets the server forget the rest. Does nothing the second time. */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    const pages = await this.#pages?.catch(() => undefined);
    await pages?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async *#read(size?: number): AsyncGenerator<R[], void, undefined> {
    if (this.#taken) throw new StateError('A stream is read once.', { hint: 'Execute the statement again.' });
    this.#taken = true;
    if (this.#ended) throw new StateError('The stream was closed.');
    try {
      this.#pages = this.#options.open();
      const pages = await this.#pages;
      for (;;) {
        const { rows, done } = await pages.next(size ?? this.#grow());
        const given = this.#options.step === undefined ? (rows as R[]) : this.#options.step(rows);
        if (given.length > 0) yield given;
        if (done) return;
      }
    } finally {
      await this.close();
    }
  }

  #grow(): number {
    const size = this.#size;
    this.#size = Math.min(this.#most, size * GROWTH);
    return size;
  }

  toJSON(): Record<string, unknown> {
    return GUARD.json({ open: this.#taken && !this.#ended });
  }
}

function checkSize(name: string, size: number | undefined): void {
  if (size === undefined || (Number.isSafeInteger(size) && size >= 1)) return;
  throw new UsageError(`${name} must be a whole number from 1 up, not ${String(size)}.`);
}
