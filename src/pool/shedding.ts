// A queue that never gets short serves everybody late: by the time a connection comes, whoever asked has given up. When
// for a whole interval nobody was served soon enough, those who have waited long already are refused, so that the
// others are served in time again.

/** When a long queue is shed; times in milliseconds. */
export interface ShedSettings {
  /** A wait up to this long is fine. Default 50. */
  readonly target?: number | undefined;
  /** How long every wait must have been longer before anybody is refused. Default 1000. */
  readonly interval?: number | undefined;
}

const TARGET = 50;
const INTERVAL = 1_000;

/** Watches how long the members of one queue wait. */
export class Shedding {
  readonly #target: number;
  readonly #interval: number;
  /** The shortest wait seen in the interval that runs. */
  #shortest = Number.POSITIVE_INFINITY;
  #ends = 0;
  #overloaded = false;

  constructor(settings: ShedSettings) {
    this.#target = settings.target ?? TARGET;
    this.#interval = settings.interval ?? INTERVAL;
  }

  /** Whether one who has waited this long is to be refused rather than served. */
  refuses(waited: number, now: number): boolean {
    if (now >= this.#ends) this.#turn(now);
    this.#shortest = Math.min(this.#shortest, waited);
    // One short wait ends it: the queue has been empty in between.
    if (waited <= this.#target) this.#overloaded = false;
    return this.#overloaded && waited > 2 * this.#target;
  }

  #turn(now: number): void {
    // An interval long gone says nothing about now.
    const recent = now < this.#ends + this.#interval;
    this.#overloaded = recent && Number.isFinite(this.#shortest) && this.#shortest > this.#target;
    this.#shortest = Number.POSITIVE_INFINITY;
    this.#ends = now + this.#interval;
  }
}
