// Who took a connection is worth the price of a stack trace only where something is wrong: at a pool's beginning, when
// connections are short, and for a while after one was misused. This decides when.
import { CallSite } from '../primitives/call-site.ts';
import type { Clock } from '../primitives/clock.ts';

export interface CallSiteOptions {
  readonly frames: number;
  /** The checkout ends with a callback. */
  readonly scoped: boolean;
}

/** How long trouble is remembered, in ms. */
const TROUBLED = 60_000;
/** Checkouts outside callback scopes that note who called though nothing is wrong. */
const SAMPLES = 1_000;

export class CallerNotes {
  readonly #clock: Clock;
  readonly #setting: boolean | 'auto';
  #samples = SAMPLES;
  /** Until when every checkout notes who called; 0 while nothing is wrong. */
  #until = 0;

  constructor(clock: Clock, setting: boolean | 'auto') {
    this.#clock = clock;
    this.#setting = setting;
  }

  /** Something went wrong: notes are taken for the next minute. */
  trouble(): void {
    this.#until = this.#clock.now() + TROUBLED;
  }

  /** The caller of `above`, if it is worth noting. `short`: no connection lies ready. */
  take(above: (...args: never[]) => unknown, options: CallSiteOptions, short: boolean): CallSite | undefined {
    if (this.#setting === false) return undefined;
    const needed = this.#setting === true || short || this.#troubled() || (!options.scoped && this.#sample());
    return needed ? new CallSite(above, options.frames) : undefined;
  }

  #troubled(): boolean {
    if (this.#until === 0) return false;
    if (this.#clock.now() < this.#until) return true;
    this.#until = 0;
    return false;
  }

  #sample(): boolean {
    if (this.#samples === 0) return false;
    this.#samples -= 1;
    return true;
  }
}
