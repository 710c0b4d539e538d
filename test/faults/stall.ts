// How late this process itself is: a wait cannot end before the machine lets its process run.
import { performance } from 'node:perf_hooks';

const EVERY = 10;

export class StallMeter {
  readonly #lateness: { readonly at: number; readonly by: number }[] = [];
  readonly #timer: NodeJS.Timeout;
  #expected = performance.now() + EVERY;

  constructor() {
    this.#timer = setInterval(() => {
      const now = performance.now();
      if (now - this.#expected > EVERY) this.#lateness.push({ at: now, by: now - this.#expected });
      this.#expected = now + EVERY;
    }, EVERY);
    this.#timer.unref();
  }

  /** How many ms the process stood still since then, all stalls together. */
  since(start: number): number {
    const now = Math.max(0, performance.now() - this.#expected);
    return this.#lateness.reduce((sum, { at, by }) => (at >= start ? sum + by : sum), now);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
