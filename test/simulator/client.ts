// What clients do with an engine, at random, and what they are owed: each notes what it was told, so that it can be
// held against what the server really did.
import {
  AthanorError,
  CommitOutcomeUnknownError,
  CommitRolledBackError,
  DatabaseError,
  PoolError,
} from '../../src/errors/index.ts';
import type { Connection } from '../../src/engine/connection.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { DriverStatement } from '../../src/driver/driver.ts';
import { Random } from '../random.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What a client was told of one transaction. */
export interface Claim {
  readonly transaction: string;
  readonly marks: readonly string[];
  readonly verdict: 'committed' | 'not committed' | 'unknown';
}

/** What clients and their judge share. */
export interface World {
  readonly time: VirtualTime;
  readonly engine: Engine;
  readonly claims: Claim[];
  readonly violations: string[];
  readonly controllers: AbortController[];
  /** How often each thing happened. */
  readonly happened: Map<string, number>;
  /** Ends the lease behind a connection as the garbage collector would. */
  forget(connectionId: string): void;
}

interface Limits {
  readonly signal?: AbortSignal;
  readonly timeout?: number;
}

/** The program's own failure, which must come out as it went in. */
class Deliberate extends Error {}

/** How much later than its deadline a wait may end, in ms. */
const SLACK = 250;
/** A peer that fell silent is noticed by then, and what waited behind it is told. */
const LONGEST = 130_000;

function statement(sql: string, ...params: string[]): DriverStatement {
  return { text: { sql, params: params.map(() => undefined), results: undefined, prepare: false }, params };
}

/** A transaction as its client sees it. */
class Draft {
  readonly name: string;
  readonly marks: string[] = [];
  #count = 0;

  constructor(name: string) {
    this.name = name;
  }

  next(): string {
    this.#count += 1;
    return `${this.name}.${this.#count}`;
  }
}

export class Client {
  readonly #world: World;
  readonly #random: Random;
  readonly #name: string;
  #transactions = 0;

  constructor(world: World, name: string, seed: number) {
    this.#world = world;
    this.#name = name;
    this.#random = new Random(seed);
  }

  /** Works off so many tasks. Never rejects. */
  async run(tasks: number): Promise<void> {
    for (let left = tasks; left > 0; left -= 1) {
      await this.#world.time.sleep(this.#random.chance(0.1) ? this.#random.int(12_000) : this.#random.int(60));
      const task = this.#random.pick([
        () => this.#scoped(),
        () => this.#scoped(),
        () => this.#retried(),
        () => this.#explicit(),
        () => this.#explicit(),
        () => this.#autocommit(),
        () => this.#handle(),
        () => this.#leased(),
        () => this.#undone(),
      ]);
      try {
        await task();
      } catch (error) {
        this.#world.violations.push(`${this.#name}: a task ended with ${String(error)}`);
      }
    }
  }

  // --- the forms of a transaction ------------------------------------------------------------------------------

  /** engine.begin(work) */
  async #scoped(): Promise<void> {
    const draft = this.#draft();
    await this.#judged(draft, () =>
      this.#world.engine.begin((connection) => this.#work(connection, draft), this.#limits(0.25)),
    );
  }

  /** engine.transaction(work): every run but the last must leave nothing. */
  async #retried(): Promise<void> {
    let draft = this.#draft();
    const first = draft;
    await this.#judged(
      () => draft,
      () =>
        this.#world.engine.transaction(async (connection) => {
          if (draft !== first || draft.marks.length > 0 || this.#started.has(draft)) {
            this.#claim(draft, 'not committed');
            draft = this.#draft();
          }
          this.#started.add(draft);
          await this.#work(connection, draft);
        }),
    );
  }

  readonly #started = new Set<Draft>();

  /** engine.begin() as a handle. */
  async #handle(): Promise<void> {
    const draft = this.#draft();
    const transaction = await this.#world.engine.begin(this.#limits(0.3));
    let worked = true;
    await this.#work(transaction.connection, draft).catch((error: unknown) => {
      this.#check(error, undefined);
      worked = false;
    });
    if (worked && this.#random.chance(0.8)) await this.#judged(draft, () => transaction.commit(this.#limits(0.2)));
    else this.#claim(draft, 'not committed');
    await this.#mayFail(() => transaction.close());
    await this.#mayFail(() => transaction.connection.close());
  }

  /** engine.connect(): several transactions on one connection, then given back, or forgotten. */
  async #explicit(): Promise<void> {
    const { engine } = this.#world;
    const limits = this.#limits(0.3);
    const connection = await this.#timed(limits, () => engine.connect(limits)).catch((error: unknown) =>
      this.#check(error, undefined),
    );
    if (connection === undefined) return;
    this.#note('connected');
    for (let left = this.#random.between(1, 3); left > 0; left -= 1) await this.#turn(connection);
    if (this.#random.chance(0.05)) return this.#forgotten(connection);
    if (this.#random.chance(0.1)) await this.#mayFail(() => connection.invalidate());
    // Some come back in the middle of a transaction.
    if (this.#random.chance(0.3)) {
      const draft = this.#draft();
      await this.#mayFail(() => this.#mark(connection, draft, {}));
      this.#claim(draft, 'not committed');
    }
    await this.#timed({ timeout: 5_000 }, () => connection.close());
  }

  #forgotten(connection: Connection): void {
    const { connectionId } = connection;
    if (connectionId === undefined) return;
    this.#note('forgotten');
    this.#world.forget(connectionId);
  }

  async #turn(connection: Connection): Promise<void> {
    const draft = this.#draft();
    const worked = await this.#work(connection, draft).then(
      () => true,
      (error: unknown) => {
        this.#check(error, undefined);
        return false;
      },
    );
    if (!worked || this.#random.chance(0.2)) {
      // A commit of what has failed must say so, and what has not is committed.
      if (!worked && this.#random.chance(0.3)) await this.#judged(draft, () => connection.commit());
      else this.#claim(draft, 'not committed');
      await this.#mayFail(() => connection.rollback());
      return;
    }
    const limits = this.#limits(0.3);
    await this.#judged(draft, () => this.#timed(limits, () => connection.commit(limits)));
    if (connection.inTransaction) await this.#mayFail(() => connection.rollback());
  }

  async #autocommit(): Promise<void> {
    const limits = this.#limits(0.2);
    const connection = await this.#timed(limits, () =>
      this.#world.engine.connect({ ...limits, isolation: 'autocommit' }),
    ).catch((error: unknown) => this.#check(error, undefined));
    if (connection === undefined) return;
    const name = `auto-${this.#name}-${(this.#transactions += 1)}`;
    const mark = `${name}.1`;
    try {
      await connection.raw('mark $1', [mark]);
      this.#world.claims.push({ transaction: name, marks: [mark], verdict: 'committed' });
    } catch (error) {
      this.#check(error, mark);
      const sure = error instanceof AthanorError && (error.outcome === 'failed' || error.outcome === 'not-sent');
      this.#world.claims.push({ transaction: name, marks: [mark], verdict: sure ? 'not committed' : 'unknown' });
    }
    await this.#timed({ timeout: 5_000 }, () => connection.close());
  }

  /** What is not wanted is undone though the signal that goes with everything has fired; or nothing is committed. */
  async #undone(): Promise<void> {
    const draft = this.#draft();
    const controller = new AbortController();
    this.#world.controllers.push(controller);
    const own = { signal: new AbortController().signal };
    const transaction = await this.#world.engine.begin({ signal: controller.signal });
    const { connection } = transaction;
    await this.#mayFail(() => this.#mark(connection, draft, {}));
    const kept = draft.marks.length;
    const unwanted = connection.beginNested(async () => {
      await this.#mark(connection, draft, {});
      if (this.#random.chance(0.5)) controller.abort(new Deliberate('all of it is late'));
      throw new Deliberate('this part is not wanted');
    });
    await unwanted.catch((error: unknown) => this.#check(error, undefined));
    draft.marks.length = kept;
    controller.abort();
    await this.#judged(draft, () => transaction.commit(own));
    await this.#mayFail(() => connection.close());
  }

  /** A connection straight from the pool, given back as nobody should: in a transaction, or with work under way. */
  async #leased(): Promise<void> {
    const timeout = this.#random.between(50, 2_000);
    const acquired = this.#timed({ timeout }, () => this.#world.engine.pool.acquire({ timeout }));
    const lease = await acquired.catch((error: unknown) => this.#check(error, undefined));
    if (lease === undefined) return;
    const draft = this.#draft();
    const mark = draft.next();
    draft.marks.push(mark);
    const work = [statement('BEGIN'), statement('mark $1', mark)];
    const done = lease
      .submit(work, { row() {} })
      .catch((error: unknown) => this.#check(error, mark))
      .finally(() => lease.settled());
    if (this.#random.chance(0.6)) await done;
    this.#note('given back badly');
    this.#claim(draft, 'unknown');
    const how = this.#random.next();
    if (how < 0.15) lease.invalidate('it is not wanted');
    else {
      if (how < 0.3) lease.invalidate('it is not wanted again', true);
      lease.release();
    }
    await done;
  }

  // --- what happens in one -------------------------------------------------------------------------------------

  async #work(connection: Connection, draft: Draft): Promise<void> {
    for (let left = this.#random.between(1, 4); left > 0; left -= 1) {
      const what = this.#random.next();
      if (what < 0.45) await this.#mark(connection, draft, this.#limits(0.25));
      else if (what < 0.6) await this.#echo(connection, this.#limits(0.25));
      else if (what < 0.7) await this.#side(connection, draft);
      else if (what < 0.85) await this.#nested(connection, draft);
      else if (what < 0.9) await this.#other();
      else await this.#world.time.sleep(this.#random.int(400));
    }
    if (this.#random.chance(0.05)) throw new Deliberate('changed its mind');
  }

  async #mark(connection: Connection, draft: Draft, limits: Limits): Promise<void> {
    const mark = draft.next();
    try {
      await this.#timed(limits, () => connection.raw('mark $1', [mark], limits));
    } catch (error) {
      this.#check(error, mark);
      throw error;
    }
    draft.marks.push(mark);
  }

  async #echo(connection: Connection, limits: Limits): Promise<void> {
    const word = `${this.#name}-${this.#random.fork()}`;
    try {
      const rows = await this.#timed(limits, () => connection.raw('echo $1', [word], limits));
      if (rows.length !== 1 || (rows[0] as { echo?: unknown }).echo !== word)
        this.#world.violations.push(`${word} was answered with ${JSON.stringify(rows)}`);
    } catch (error) {
      this.#check(error, word);
      throw error;
    }
  }

  /** Several statements at once on one connection: they are one after the other on the server. */
  async #side(connection: Connection, draft: Draft): Promise<void> {
    const all = Array.from({ length: this.#random.between(2, 3) }, () => this.#mark(connection, draft, {}));
    const results = await Promise.allSettled(all);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  async #nested(connection: Connection, draft: Draft): Promise<void> {
    const kept = draft.marks.length;
    const fails = this.#random.chance(0.4);
    try {
      await connection.beginNested(async () => {
        await this.#mark(connection, draft, this.#limits(0.15));
        if (this.#random.chance(0.3)) await this.#nested(connection, draft);
        if (fails) throw new Deliberate('this part is not wanted');
      });
    } catch (error) {
      draft.marks.length = kept;
      this.#check(error, undefined);
      // What failed inside is undone; the rest may go on.
      if (!connection.inTransaction || this.#random.chance(0.3)) throw error;
    }
  }

  /** A second connection while the first is held. */
  async #other(): Promise<void> {
    const limits = { timeout: this.#random.between(20, 600) };
    try {
      const other = await this.#timed(limits, () => this.#world.engine.connect(limits));
      this.#note('two at once');
      await this.#timed({ timeout: 5_000 }, () => other.close());
    } catch (error) {
      this.#check(error, undefined);
    }
  }

  // --- what is noted -------------------------------------------------------------------------------------------

  #draft(): Draft {
    this.#transactions += 1;
    return new Draft(`${this.#name}-${this.#transactions}`);
  }

  #claim(draft: Draft, verdict: Claim['verdict']): void {
    this.#world.claims.push({ transaction: draft.name, marks: [...draft.marks], verdict });
    this.#note(verdict);
  }

  /** Runs what commits a draft, and notes what was said of it. */
  async #judged(draft: Draft | (() => Draft), work: () => Promise<unknown>): Promise<void> {
    const of = (): Draft => (typeof draft === 'function' ? draft() : draft);
    try {
      await this.#timed({}, work);
      this.#claim(of(), 'committed');
    } catch (error) {
      this.#check(error, undefined);
      const unknown = error instanceof CommitOutcomeUnknownError;
      if (error instanceof CommitRolledBackError) this.#note('commit answered by rollback');
      this.#claim(of(), unknown ? 'unknown' : 'not committed');
    }
  }

  async #mayFail(work: () => Promise<unknown>): Promise<void> {
    await this.#timed({}, work).catch((error: unknown) => this.#check(error, undefined));
  }

  /** A wait must end by its deadline, or soon after its signal. */
  async #timed<T>({ timeout, signal }: Limits, work: () => PromiseLike<T>): Promise<T> {
    const { time } = this.#world;
    const since = time.now;
    let aborted = Number.POSITIVE_INFINITY;
    const onAbort = (): void => {
      aborted = time.now;
    };
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await work();
    } finally {
      signal?.removeEventListener('abort', onAbort);
      const due = Math.min(since + (timeout ?? LONGEST), Math.max(aborted, since)) + SLACK;
      if (time.now > due)
        this.#world.violations.push(`${this.#name}: a wait ended ${Math.round(time.now - due)} ms too late`);
    }
  }

  #limits(probability: number): Limits {
    if (!this.#random.chance(probability)) return {};
    if (this.#random.chance(0.5)) return { timeout: this.#random.between(1, 800) };
    const controller = new AbortController();
    this.#world.controllers.push(controller);
    this.#world.time.timer(this.#random.int(800), () => controller.abort(new Deliberate('not wanted any more')));
    return { signal: controller.signal };
  }

  /** Errors are athanor's or the program's own, and one that the server gave for a statement reaches that statement only. */
  #check(error: unknown, statement: string | undefined): undefined {
    if (error instanceof Deliberate) return undefined;
    if (!(error instanceof AthanorError)) {
      this.#world.violations.push(
        `${this.#name} was told ${String(error)}${error instanceof Error ? `\n${error.stack ?? ''}` : ''}`,
      );
      return undefined;
    }
    this.#note(error.code);
    const target = /\bfor (\S+)/.exec(error.message)?.[1];
    if (
      statement !== undefined &&
      target !== undefined &&
      error instanceof DatabaseError &&
      target !== statement &&
      !/^(begin|savepoint|rollback)/i.test(target)
    )
      this.#world.violations.push(`${statement} was told the error of ${target}`);
    if (error instanceof PoolError && error.outcome !== undefined && error.outcome !== 'not-sent')
      this.#world.violations.push(`${error.code} with the outcome ${error.outcome}`);
    return undefined;
  }

  #note(what: string): void {
    this.#world.happened.set(what, (this.#world.happened.get(what) ?? 0) + 1);
  }
}
