// A process, or one of its threads, as its broker sees it.
import type { Share } from './fair-share.ts';
import type { Hello } from '../messages.ts';

interface Want {
  readonly request: number;
  readonly order: number;
  readonly since: number;
  readonly deadline: number;
}

interface Weight {
  readonly held: number;
  /** Permits old enough to be asked back. */
  readonly mature: number;
  readonly eligible: boolean;
}

/** What a client may have waiting; more than any pool asks for. */
const MAX_WANTS = 1024;
/** Recalls count as on their way for this long; and nobody is asked twice within `PAUSE`. Milliseconds. */
const ANSWER = 250;
const PAUSE = 1000;

export class BrokerClient implements Share {
  readonly id: number;
  readonly hello: Hello;
  readonly wants: Map<number, Want> = new Map();
  /** It has said what it holds. */
  enrolled = false;
  seen: number;
  held = 0;
  recallable = 0;
  #lastRequest = 0;
  #asked: number[] = [];
  #eligible = true;

  constructor(id: number, hello: Hello, now: number) {
    this.id = id;
    this.hello = hello;
    this.seen = now;
  }

  get firstWant(): number | undefined {
    if (!this.#eligible) return undefined;
    for (const want of this.wants.values()) return want.order;
    return undefined;
  }

  get waiting(): number {
    return this.#eligible ? this.wants.size : 0;
  }

  /** Adds a want. Request numbers only grow: one that came before, whatever became of it, changes nothing. False: too many. */
  want(want: Want): boolean {
    if (want.request <= this.#lastRequest) return true;
    this.#lastRequest = want.request;
    if (this.wants.size >= MAX_WANTS) return false;
    this.wants.set(want.request, want);
    return true;
  }

  /** Brings up to date what fairness looks at.  */
  weigh({ held, mature, eligible }: Weight, now: number): void {
    this.#asked = this.#asked.filter((at) => now - at < PAUSE);
    this.held = held;
    this.recallable = Math.max(0, mature - this.#asked.length);
    this.#eligible = eligible && this.enrolled;
  }

  /** Recalls that may still be answered. */
  coming(now: number): number {
    return this.#asked.filter((at) => now - at < ANSWER).length;
  }

  askBack(count: number, now: number): void {
    for (let i = 0; i < count; i += 1) this.#asked.push(now);
  }

  gaveBack(): void {
    this.#asked.shift();
  }
}
