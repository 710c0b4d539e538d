// The children that are alive now, and the hand that kills one of them every so often. It knows nothing of databases:
// whether a death did harm is for the verdict to say.

/** The part of a running job that is needed here. */
export interface RunningChild extends PromiseLike<unknown> {
  readonly pid: number | undefined;
  kill(signal: NodeJS.Signals): unknown;
}

export interface Member {
  readonly pid: number;
  readonly task: string;
  readonly row: number | undefined;
  /** By `performance.now()`. */
  readonly since: number;
  readonly handle: RunningChild;
  killedAt: number | undefined;
}

/** How a followed child ended. */
export type End = 'done' | 'killed';

export class Crew {
  readonly living = new Map<number, Member>();
  /** Children that were killed on purpose, by process number. */
  readonly killed = new Map<number, Member>();
  /** When, in milliseconds since 1970. */
  readonly #moments: number[] = [];
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = randomNumbers(seed);
  }

  /** Follows a child to its end. A child that was killed here has ended well; any other failure is thrown. */
  async follow(task: string, row: number | undefined, handle: RunningChild): Promise<End> {
    const pid = handle.pid ?? 0;
    const member: Member = { pid, task, row, since: performance.now(), handle, killedAt: undefined };
    this.living.set(pid, member);
    try {
      await handle;
      return 'done';
    } catch (error) {
      if (member.killedAt === undefined) throw error;
      return 'killed';
    } finally {
      this.living.delete(pid);
    }
  }

  /** Kills one of the living that `fits`; gives the one, if there was any. */
  killOne(fits: (member: Member) => boolean = () => true): Member | undefined {
    const candidates = [...this.living.values()].filter((member) => member.killedAt === undefined && fits(member));
    const member = candidates[Math.floor(this.#random() * candidates.length)];
    if (member === undefined) return undefined;
    this.#kill(member);
    return member;
  }

  /** Ends all that are left. */
  killAll(): void {
    for (const member of this.living.values()) this.#kill(member);
  }

  /** Whether a child was killed within a second before this moment. */
  killedNear(time: number): boolean {
    return this.#moments.some((moment) => time >= moment - 50 && time <= moment + 1000);
  }

  #kill(member: Member): void {
    member.killedAt ??= performance.now();
    this.killed.set(member.pid, member);
    this.#moments.push(Date.now());
    member.handle.kill('SIGKILL');
  }
}

/** A small generator of numbers from 0 to 1 that a seed repeats (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
