// The connections nobody uses, in the order they came back. What lies here too long is closed, so that a burst of work
// does not keep the server's connections for ever; the timer for it exists only while something lies here.
import type { Clock, ClockTimer } from '../primitives/clock.ts';
import type { Entry } from './entry.ts';

export interface IdleShelfOptions {
  readonly clock: Clock;
  readonly order: 'lifo' | 'fifo';
  /** Whether a timer may close what lies here too long; else that is done when somebody comes by. */
  readonly background: boolean;
  /** How long an entry may lie here, in ms. */
  readonly idleTimeout: number;
  /** How many more may be closed for lying idle. */
  spare(): number;
  /** Whether an entry may be handed out at all. */
  keepable(entry: Entry): boolean;
  close(entry: Entry): void;
}

export class IdleShelf {
  readonly #options: IdleShelfOptions;
  readonly #entries: Entry[] = [];
  #sweep: ClockTimer | undefined;

  constructor(options: IdleShelfOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** The one `take` would give. */
  peek(): Entry | undefined {
    return this.#options.order === 'lifo' ? this.#entries.at(-1) : this.#entries[0];
  }

  take(): Entry | undefined {
    return this.#options.order === 'lifo' ? this.#entries.pop() : this.#entries.shift();
  }

  /** The one that has lain longest. */
  takeOldest(): Entry | undefined {
    return this.#entries.shift();
  }

  put(entry: Entry): void {
    this.#entries.push(entry);
    this.#arm();
  }

  remove(entry: Entry): void {
    const index = this.#entries.indexOf(entry);
    if (index >= 0) this.#entries.splice(index, 1);
  }

  /** Takes all. */
  clear(): Entry[] {
    this.#sweep?.cancel();
    this.#sweep = undefined;
    return this.#entries.splice(0);
  }

  #arm(): void {
    const { clock, idleTimeout, background } = this.#options;
    if (!background || this.#sweep !== undefined || !Number.isFinite(idleTimeout)) return;
    this.#sweep = clock.timer(Math.max(50, idleTimeout / 2), () => this.tidy(), true);
  }

  /** Entries lie in the order they came back, so the oldest are first. */
  tidy(): void {
    this.#sweep?.cancel();
    this.#sweep = undefined;
    const now = this.#options.clock.now();
    const wall = this.#options.clock.wall();
    let spare = this.#options.spare();
    for (const entry of [...this.#entries]) {
      const tired = spare > 0 && entry.idledFor(now, wall) >= this.#options.idleTimeout;
      if (!tired && this.#options.keepable(entry)) continue;
      spare -= 1;
      this.remove(entry);
      this.#options.close(entry);
    }
    if (this.#entries.length > 0) this.#arm();
  }
}
