// Who may use a session at the same time as whom. Reads wait for each other in the order they were called; what
// changes the session's state must be alone, because nobody could say what an overlapping read would have seen.
import { ConcurrentUseError } from '../../errors/index.ts';

export class WorkQueue {
  #tail: Promise<void> | undefined;
  #running = 0;
  #alone: string | undefined;

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
    try {
      return await work();
    } finally {
      this.#alone = undefined;
      this.#running = 0;
    }
  }

  /** Settles when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#tail !== undefined) await this.#tail;
  }
}

function overlap(name: string, other: string): ConcurrentUseError {
  return new ConcurrentUseError(`${name}() was called while ${other} of the same session was under way.`, {
    hint: 'Await each call on a session before the next flush, commit, rollback or close. Work that goes on side by side needs a session each.',
  });
}
