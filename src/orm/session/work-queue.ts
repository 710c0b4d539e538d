// Who may use a session at the same time as whom. Reads wait for each other in the order they were called; what
// changes the session's state must be alone, because nobody could say what an overlapping read would have seen.
import { ConcurrentUseError } from '../../errors/index.ts';
import { type Deferred, deferred } from '../../primitives/deferred.ts';

export class WorkQueue {
  #tail: Promise<void> | undefined;
  #running = 0;
  #alone: string | undefined;
  /** Kept when the work that is alone is over; made only where somebody waits for that. */
  #over: Deferred<void> | undefined;

  /** Calls that are under way or wait. */
  get size(): number {
    return this.#running;
  }

  /** Runs `work` after the reads called before it. */
  read<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (this.#alone !== undefined) return Promise.reject(overlap(name, this.#alone));
    this.#running += 1;
    const run = this.#tail === undefined ? work() : this.#tail.then(work);
    // The caller gets `run` and its error; the queue only needs to know when it is over.
    const over = (): void => {
      this.#running -= 1;
      if (this.#tail === settled) this.#tail = undefined;
    };
    const settled: Promise<void> = run.then(over, over);
    this.#tail = settled;
    return run;
  }

  /** Runs `work` alone, or throws `ATH_CONCURRENT_USE`. */
  async alone<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (this.#alone !== undefined) throw overlap(name, this.#alone);
    if (this.#running > 0) throw overlap(name, this.#running === 1 ? 'a read' : `${this.#running} reads`);
    this.#alone = name;
    this.#running = 1;
    return this.#run(work);
  }

  /**
   * Waits for what is under way, and runs `work` alone. Nothing new begins from the call on: what must not fail,
   * undoing and closing, cannot be kept off by whoever goes on using the session.
   */
  async last<T>(name: string, work: () => Promise<T>): Promise<T> {
    while (this.#alone !== undefined) await (this.#over ??= deferred()).promise;
    this.#alone = name;
    while (this.#tail !== undefined) await this.#tail;
    this.#running = 1;
    return this.#run(work);
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      const over = this.#over;
      this.#alone = this.#over = undefined;
      this.#running = 0;
      over?.resolve();
    }
  }
}

function overlap(name: string, other: string): ConcurrentUseError {
  return new ConcurrentUseError(`${name}() was called while ${other} of the same session was under way.`, {
    hint: 'Await each call on a session before the next flush, commit, rollback or close. Work that goes on side by side needs a session each.',
  });
}
