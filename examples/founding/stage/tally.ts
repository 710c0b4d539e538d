// What happened so far, counted. The acts write it, the screen and the verdict read it.
import type { Attempt } from '../broken.ts';
import type { Row } from '../iteration.ts';
import type { Count } from '../shared-counter.ts';

/** One variant's account. */
export interface VariantTally {
  readonly name: string;
  iterations: number;
  /** Rows that read 2 in the end, or whose child was killed and which are whole. */
  right: number;
  killed: number;
  /** By `performance.now()`; no end while it runs. */
  readonly begin: number;
  end: number | undefined;
}

/** How long a variant has had, in milliseconds. */
export function elapsedOf({ begin, end = performance.now() }: VariantTally): number {
  return end - begin;
}

export class Tally {
  readonly variants: VariantTally[] = [];
  readonly counts: Count[] = [];
  readonly attempts: Attempt[] = [];
  /** Errors that nobody caused on purpose. */
  readonly errors: unknown[] = [];
  /** For each connection of a killed child: how long the server was seen to keep it, in milliseconds. */
  readonly quarantines = new Map<number, number>();
  /** What each row must hold in the end: 2, or 1 or 2 where its child was killed. */
  readonly #expected = new Map<number, readonly number[]>();
  readonly #killed = new Set<number>();

  variant(name: string): VariantTally {
    const tally: VariantTally = { name, iterations: 0, right: 0, killed: 0, begin: performance.now(), end: undefined };
    this.variants.push(tally);
    return tally;
  }

  /** The row's child was killed: it has added one, or it has not. */
  killed(row: number): void {
    this.#killed.add(row);
  }

  /** Takes the rows of one iteration as the main process read them. */
  take(variant: VariantTally, rows: readonly Row[]): void {
    for (const { id, value } of rows) {
      const killed = this.#killed.delete(id);
      const expected = killed ? [1, 2] : [2];
      this.#expected.set(id, expected);
      variant.iterations++;
      if (killed) variant.killed++;
      if (expected.includes(value)) variant.right++;
    }
  }

  get iterations(): number {
    return this.variants.reduce((sum, variant) => sum + variant.iterations, 0);
  }

  get right(): number {
    return this.variants.reduce((sum, variant) => sum + variant.right, 0);
  }

  /** The rows that do not hold on the server what they must. */
  wrongRows(values: ReadonlyMap<number, number>): string[] {
    return [...this.#expected].flatMap(([id, expected]) => {
      const value = values.get(id);
      return value !== undefined && expected.includes(value) ? [] : [`row ${id} is ${value ?? 'missing'}`];
    });
  }
}
