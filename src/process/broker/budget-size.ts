// How many connections the budget is. A number somebody gave is an upper bound; below it the server's own limits
// decide, read again and again, because others come and go.
import type { ServerLimits } from '../../driver/monitor.ts';

/** The smallest budget: one connection for the broker to ask the server by, one for everybody else. */
export const MIN_BUDGET = 2;

export class BudgetSize {
  #limit: number | undefined;
  #reading: number | undefined;
  /** A lower reading that the next one must confirm: a connection being made may look like somebody else's for a moment. */
  #lower: number | undefined;
  #text = 'the server has not been asked yet';

  /** `undefined` until the server was asked. */
  get size(): number | undefined {
    if (this.#reading === undefined) return undefined;
    return Math.max(MIN_BUDGET, Math.min(this.#reading, this.#limit ?? this.#reading));
  }

  /** How it came about. */
  get text(): string {
    const asked = this.#limit === undefined ? 'auto' : `${this.#limit} asked for`;
    return `${asked}; ${this.#text}`.slice(0, 400);
  }

  get unconfirmed(): boolean {
    return this.#lower !== undefined;
  }

  /** The smallest of the numbers that processes under this budget gave. */
  limitTo(limits: Iterable<number | null>): void {
    let smallest: number | undefined;
    for (const limit of limits) if (limit !== null && (smallest === undefined || limit < smallest)) smallest = limit;
    this.#limit = smallest;
  }

  read(limits: ServerLimits): void {
    const reading = limits.available - limits.others;
    this.#text = limits.text;
    if (this.#reading === undefined || reading >= this.#reading) {
      this.#reading = reading;
      this.#lower = undefined;
    } else if (this.#lower === undefined) {
      this.#lower = reading;
    } else {
      this.#reading = Math.max(reading, this.#lower);
      this.#lower = undefined;
    }
  }
}
