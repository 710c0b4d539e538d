// Deadlines are kept by a clock that never jumps, and that a test can hold still: whoever waits takes a Clock instead
// of calling setTimeout.

/** A timer that was started and can be stopped. */
export interface ClockTimer {
  cancel(): void;
}

/** A source of monotonic time and of timers on it. All times are milliseconds. */
export interface Clock {
  now(): number;
  /** The time of day, in ms since 1970: it goes on while the machine sleeps, and may be set. */
  wall(): number;
  /** Calls `run` once, `delay` ms from now. `guard` timers do not keep the process alive. */
  timer(delay: number, run: () => void, guard?: boolean): ClockTimer;
}

const LONGEST_DELAY = 2 ** 31 - 1;

/** The monotonic clock of this process. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  timer(delay, run, guard = false) {
    const timer = setTimeout(run, Math.min(Math.max(0, Math.ceil(delay)), LONGEST_DELAY));
    if (guard) timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
