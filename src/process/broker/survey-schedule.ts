// When the server is asked: seldom while all is quiet, often while something waits for its answer, less and less
// often while it does not answer. One question at a time.

/** Why the server's next answer is waited for; the pause until it is asked, in milliseconds. */
const PAUSE = { start: 0, quarantine: 100, confirm: 200, waiting: 1000, quiet: 5000 } as const;
export type Urgency = keyof typeof PAUSE;

export class SurveySchedule {
  #asked: number | undefined;
  #listed = -Infinity;
  #next: number;
  #failures = 0;
  #failure: string | undefined;

  constructor(now: number) {
    this.#next = now;
  }

  /** When the last list that came was asked for. */
  get listedAt(): number {
    return this.#listed;
  }
  /** A question is under way. */
  get asking(): boolean {
    return this.#asked !== undefined;
  }
  get next(): number {
    return this.#next;
  }
  /** Questions in a row that failed, and why the last one did. */
  get failures(): number {
    return this.#failures;
  }
  get failure(): string | undefined {
    return this.#failure;
  }

  soon(at: number): void {
    this.#next = Math.min(this.#next, at);
  }
  notBefore(at: number): void {
    this.#next = Math.max(this.#next, at);
  }

  ask(now: number): void {
    this.#asked = now;
    this.#next = Infinity;
  }

  /** An answer came. Gives when it was asked for. */
  answered(now: number): number {
    const asked = this.#asked ?? now;
    this.#asked = undefined;
    this.#failures = 0;
    this.#failure = undefined;
    this.#listed = asked;
    return asked;
  }

  plan(urgency: Urgency, now: number): void {
    this.soon(now + PAUSE[urgency]);
  }

  failed(reason: string, now: number): void {
    this.#asked = undefined;
    this.#failure = reason;
    this.#next = now + Math.min(1000, 50 * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
  }
}
