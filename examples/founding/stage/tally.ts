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
  /** In milliseconds. */
  elapsed: number;
  running: boolean;
}

export class Tally {
  readonly variants: VariantTally[] = [];
  readonly counts: Count[] = [];
  readonly attempts: Attempt[] = [];
  /** Errors that nobody caused on purpose. */
  readonly errors: unknown[] = [];
  /** What each row must hold in the end: 2, or 1 or 2 where its child was killed. */
  readonly #expected = new Map<number, readonly number[]>();
  readonly #killed = new Set<number>();

  variant(name: string): VariantTally {
    const tally = { name, iterations: 0, right: 0, killed: 0, elapsed: 0, running: true };
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
