// Where the processes under one budget meet: a private folder with a secret, a file for each member, and a file for
// each broker there has been. All that must happen once, or to one process only, is the making of a hard link, which
// the file system decides.
import { randomBytes } from 'node:crypto';
import { linkSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../errors/index.ts';
import { privateFolder } from './private-folder.ts';
import { ownMark, pidOfMark, type ProcessMark, processState } from './process-mark.ts';

/** A broker's place in the order of brokers, and where it listens. */
export interface BrokerPlace {
  readonly epoch: number;
  readonly address: string;
  readonly mark: ProcessMark;
}

/** A process, or one of its threads, that may hold permits. */
export interface Member {
  readonly name: string;
  readonly mark: ProcessMark;
}

const SECRET = 'budget.json';
const TAKING = 'taking';
const MEMBER = /^m-([0-9]{1,10}\.[0-9]{1,9}\.[0-9a-z]{1,16})$/;
const EPOCH = /^epoch-([0-9]{1,15})$/;
/** An intent to serve that is older has come to nothing. Milliseconds. */
const TAKING_TIME = 5000;

export class BudgetFolder {
  readonly path: string;
  /** What a process must show to be heard. */
  readonly token: string;
  /** The budget's name on the server. Of this folder alone, so that no two machines take each other's connections for theirs. */
  readonly tag: string;

  /** Makes the folder if it is missing. Throws `UsageError` (ATH_USAGE) if it is not this user's alone. */
  constructor(path: string) {
    this.path = privateFolder(path);
    const fresh = { token: randomBytes(32).toString('hex'), tag: randomBytes(5).toString('hex') };
    this.#once(SECRET, JSON.stringify(fresh));
    const { token, tag } = JSON.parse(readFileSync(join(path, SECRET), 'utf8')) as Partial<typeof fresh>;
    if (typeof token !== 'string' || typeof tag !== 'string' || !/^[0-9a-f]{10}$/.test(tag)) {
      throw new UsageError(`The file ${join(path, SECRET)} is damaged.`, { hint: 'Remove the folder it is in.' });
    }
    this.token = token;
    this.tag = tag;
  }

  /** Makes this thread's file. It must be there before the thread looks for a broker. */
  enter(thread: number): Member {
    const name = `${process.pid}.${thread}.${randomBytes(4).toString('hex')}`;
    const mark = ownMark();
    this.#once(`m-${name}`, mark);
    return { name, mark };
  }

  /** Takes a member's file away: it holds nothing, or is dead. */
  forget(name: string): void {
    rmSync(join(this.path, `m-${name}`), { force: true });
  }

  member(name: string): Member | undefined {
    const mark = this.#read(`m-${name}`);
    return mark === undefined ? undefined : { name, mark };
  }

  members(): Member[] {
    return this.#list(MEMBER).flatMap((name) => this.member(name) ?? []);
  }

  /** Whether a certain thread is among the members. */
  hasMember(mark: ProcessMark, thread: number): boolean {
    return this.#list(MEMBER).some((name) => name.startsWith(`${pidOfMark(mark)}.${thread}.`));
  }

  /** The newest broker, alive or not. */
  broker(): BrokerPlace | undefined {
    const epoch = Math.max(...this.#list(EPOCH).map(Number));
    const record = Number.isFinite(epoch) ? this.#read(`epoch-${epoch}`) : undefined;
    if (record === undefined) return undefined;
    const { address, mark } = JSON.parse(record) as BrokerPlace;
    return { epoch, address, mark };
  }

  /**
   * Makes the broker that listens at `address` the newest. `undefined` if another was quicker.
   * `after` is the epoch seen before it began to listen.
   */
  claim(address: string, after: number): number | undefined {
    // The time as a floor keeps epochs growing even if the folder was swept away in between.
    const epoch = Math.max(after + 1, Math.floor(Date.now() / 1000));
    if (!this.#once(`epoch-${epoch}`, JSON.stringify({ address, mark: ownMark() }))) return undefined;
    const newest = Math.max(...this.#list(EPOCH).map(Number));
    if (newest === epoch) return epoch;
    rmSync(join(this.path, `epoch-${epoch}`), { force: true });
    return undefined;
  }

  /** Removes what older brokers left. */
  sweep(epoch: number): void {
    for (const older of this.#list(EPOCH).map(Number)) {
      if (older >= epoch) continue;
      const record = this.#read(`epoch-${older}`);
      const { address } = (record === undefined ? {} : JSON.parse(record)) as Partial<BrokerPlace>;
      if (address?.startsWith('/') === true) rmSync(address, { force: true });
      rmSync(join(this.path, `epoch-${older}`), { force: true });
    }
  }

  /** Says that this process is about to serve. False if another says so. It only saves work; `claim` decides. */
  intend(): boolean {
    if (this.#once(TAKING, ownMark())) return true;
    const mark = this.#read(TAKING);
    if (mark !== undefined && processState(mark) !== 'dead' && this.#age(TAKING) < TAKING_TIME) return false;
    this.giveUp();
    return this.#once(TAKING, ownMark());
  }

  /** The end of an intent to serve, whatever came of it. */
  giveUp(): void {
    rmSync(join(this.path, TAKING), { force: true });
  }

  /** Keeps the cleaners of temporary folders away. */
  touch(): void {
    const now = new Date();
    for (const name of ['.', SECRET, ...this.#names()]) {
      try {
        utimesSync(join(this.path, name), now, now);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
  }

  /** Makes a file with its content in one step, if there is none of that name. */
  #once(name: string, content: string): boolean {
    const draft = join(this.path, `d-${randomBytes(6).toString('hex')}`);
    writeFileSync(draft, content, { mode: 0o600, flag: 'wx' });
    try {
      linkSync(draft, join(this.path, name));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    } finally {
      rmSync(draft, { force: true });
    }
  }

  #age(name: string): number {
    try {
      return Date.now() - statSync(join(this.path, name)).mtimeMs;
    } catch {
      return Infinity;
    }
  }

  #read(name: string): string | undefined {
    try {
      return readFileSync(join(this.path, name), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  #names(): string[] {
    try {
      return readdirSync(this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  #list(pattern: RegExp): string[] {
    return this.#names().flatMap((name) => pattern.exec(name)?.[1] ?? []);
  }
}
