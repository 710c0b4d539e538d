// Work that takes turns: each begins when the one before it is finished, and one that cannot go on yet is tried again
// after a pause in which the rest of the program runs. Nothing is queued, and no promise made, while nobody waits.
import { setTimeout as sleep } from 'node:timers/promises';

/** Does what can be done now. `false`: not finished, and worth another try. */
export type Step = () => boolean;

interface Turn {
  readonly step: Step;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Pauses between tries grow up to this, in milliseconds. */
const LONGEST_PAUSE = 50;

export class Turns {
  readonly #line: Turn[] = [];
  #stepping = false;

  /** Settles when `step` has said that it is finished, or has thrown. */
  take(step: Step): Promise<void> {
    const alone = this.#line.length === 0 && !this.#stepping;
    try {
      if (alone && this.#try(step)) return Promise.resolve();
    } catch (error) {
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      this.#line.push({ step, resolve, reject });
      if (this.#line.length === 1) void this.#serve(alone);
    });
  }

  async #serve(tried: boolean): Promise<void> {
    let pause = tried ? 1 : 0;
    for (let turn = this.#line[0]; turn !== undefined; turn = this.#line[0]) {
      await sleep(pause);
      pause = Math.min(Math.max(1, pause * 2), LONGEST_PAUSE);
      if (!this.#finish(turn)) continue;
      this.#line.shift();
      pause = 0;
    }
  }

  #finish({ step, resolve, reject }: Turn): boolean {
    try {
      if (!this.#try(step)) return false;
      resolve();
    } catch (error) {
      reject(error);
    }
    return true;
  }

  #try(step: Step): boolean {
    this.#stepping = true;
    try {
      return step();
    } finally {
      this.#stepping = false;
    }
  }
}
