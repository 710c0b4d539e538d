// After a broker died the next one knows nobody. Every member of the budget's folder must first say what it holds, or
// be seen dead, or have left: only then is what the server lists, and what is reported, the whole truth.

export class RollCall {
  readonly #missing: Set<string>;
  readonly #started: number;
  readonly #patience: number;
  #settledAt: number;

  /** `patience` ms after which a member that neither answers nor is seen dead is passed over. */
  constructor(members: Iterable<string>, now: number, patience: number) {
    this.#missing = new Set(members);
    this.#started = now;
    this.#patience = patience;
    this.#settledAt = now;
  }

  get complete(): boolean {
    return this.#missing.size === 0;
  }
  /** The server's list is the whole truth only if it is asked for from here on. */
  get settledAt(): number {
    return this.#settledAt;
  }
  get missing(): readonly string[] {
    return [...this.#missing];
  }
  get deadline(): number | undefined {
    return this.complete ? undefined : this.#started + this.#patience;
  }

  /** It left, or never had a broker before: nothing it has can be missed. */
  left(member: string): void {
    this.#missing.delete(member);
  }

  /**
   * It says what it holds. What it gave back to a broker that died before it heard of it is in nobody's book, and may
   * linger: the list must be younger than the answer.
   */
  answered(member: string, now: number): void {
    if (this.#missing.delete(member)) this.#settledAt = Math.max(this.#settledAt, now);
  }

  /** A member that died may have left a connection half made: the list must be younger than that by `settle`. */
  died(member: string, now: number, settle: number): void {
    if (this.#missing.delete(member)) this.#settledAt = Math.max(this.#settledAt, now + settle);
  }

  /** Passes over the silent ones when patience is at its end, and names them. */
  giveUp(now: number): readonly string[] {
    const { deadline } = this;
    if (deadline === undefined || now < deadline) return [];
    const silent = this.missing;
    this.#missing.clear();
    this.#settledAt = Math.max(this.#settledAt, now);
    return silent;
  }
}
