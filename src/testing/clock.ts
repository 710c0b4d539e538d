// A clock that moves only when told to, so that a test of deadlines takes no time and never depends on luck.
import type { Clock, ClockTimer } from '../primitives/clock.ts';

interface FakeTimer {
  readonly at: number;
  readonly run: () => void;
}

/** A clock for tests. Starts at 1000 ms, so that no time is zero by chance. */
export class FakeClock implements Clock {
  #now = 1_000;
  #wall = 1_700_000_000_000;
  readonly #timers = new Set<FakeTimer>();

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#wall + this.#now;
  }

  /** Timers that were started and neither fired nor cancelled. */
  get timers(): number {
    return this.#timers.size;
  }

  timer(delay: number, run: () => void): ClockTimer {
    const timer: FakeTimer = { at: this.#now + Math.max(0, delay), run };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** Moves time on, firing what falls due in order; between two timers, all promises settle that can. */
  async advance(milliseconds: number): Promise<void> {
    const until = this.#now + milliseconds;
    await settled();
    for (let timer = this.#next(until); timer !== undefined; timer = this.#next(until)) {
      this.#now = Math.max(this.#now, timer.at);
      this.#timers.delete(timer);
      timer.run();
      await settled();
    }
    this.#now = until;
  }

  /** The process and its clock stand still while the world goes on, as in a frozen function or a sleeping machine. */
  freeze(milliseconds: number): void {
    this.#wall += milliseconds;
  }

  /** The process stands still while its clock goes on, as when its event loop is blocked: what fell due fires late. */
  async stall(milliseconds: number): Promise<void> {
    this.#now += milliseconds;
    await this.advance(0);
  }

  #next(until: number): FakeTimer | undefined {
    let next: FakeTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.at <= until && (next === undefined || timer.at < next.at)) next = timer;
    }
    return next;
  }
}

/** Waits until every promise that can settle without the outside world has. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
