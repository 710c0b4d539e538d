// The pool of one engine in one thread: it hands out open connections, opens them when there are permits, and gives
// both back when they are not needed. A warm checkout is an array pop; all else happens because somebody waits.
import type { DriverConnection } from '../driver/driver.ts';
import { NOT_TRANSFERABLE, type TransferGuard, transferGuard } from '../errors/index.ts';
import type { CallSite } from '../primitives/call-site.ts';
import type { ListenOptions, Unsubscribe } from '../primitives/listeners.ts';
import { answerWithin } from './answer-within.ts';
import { CallerNotes, type CallSiteOptions } from './caller-notes.ts';
import { warnOf } from './connection-warning.ts';
import { Entry } from './entry.ts';
import { IdleShelf } from './idle-shelf.ts';
import { LeakAlarm } from './leak-alarm.ts';
import { Lease, type LeaseHome } from './lease.ts';
import { OpenConnections } from './open-connections.ts';
import { Opener } from './opener.ts';
import { foreignOwner, type Owner, type OwnerSource, sameOwner } from './owner.ts';
import type { Permit } from './permits.ts';
import { POLICIES, type PoolPolicy } from './policy.ts';
import { type PoolEvents, PoolTeller } from './pool-events.ts';
import { type PoolOptions, type ResolvedPoolOptions, resolvePoolOptions } from './pool-options.ts';
import { type PoolStatus, poolStatus } from './pool-status.ts';
import { Shedding } from './shedding.ts';
import {
  checkoutTimedOut,
  nestedCheckout,
  notAlone,
  poolClosed,
  shed,
  stalledCheckout,
  tooManyWaiting,
} from './shortage.ts';
import { allStand } from './stall.ts';
import { currentTask, type TaskScope } from './task-scope.ts';
import { cancelledWait, type Waiter, WaitingLine } from './waiting-line.ts';

export interface AcquireOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; default `acquireTimeout`. */
  readonly timeout?: number | undefined;
  /** The callback scope that will hold the connection. */
  readonly scope?: TaskScope | undefined;
  /** Who asks; left out, the stack says it. */
  readonly site?: CallSite | undefined;
}

export interface WarmOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; default `acquireTimeout`. */
  readonly timeout?: number | undefined;
}

export interface PoolCloseOptions {
  /** How long connections that are out may take to come back before they are dropped, in ms. Default 5000. */
  readonly timeout?: number | undefined;
}

const GUARD = transferGuard(
  'A pool',
  'Send the engine descriptor; the process there opens connections of its own within the same budget.',
);

/** Open connections to one database, for one thread of one process. */
export class Pool implements LeaseHome {
  readonly [NOT_TRANSFERABLE]: TransferGuard = GUARD;
  readonly owner: OwnerSource;
  readonly #options: ResolvedPoolOptions;
  readonly #policy: PoolPolicy;
  readonly #teller = new PoolTeller();
  readonly #connections: OpenConnections;
  readonly #idle: IdleShelf;
  readonly #line: WaitingLine;
  readonly #opener: Opener;
  readonly #leaks: LeakAlarm;
  readonly #notes: CallerNotes;
  readonly #shedding: Shedding | undefined;
  /** Idle connections that are being asked for a sign of life. */
  readonly #checking = new Set<Entry>();
  #home: Owner;
  #generation = 0;
  #closed = false;
  /** The last attempt to open a connection worked: what is missing to the minimum may be opened, too. */
  #well = false;
  /** Connections that others wait for and that were not idle when they asked. */
  #debt = { count: 0, until: 0 };
  #drained: (() => void) | undefined;

  constructor(options: PoolOptions) {
    const resolved = resolvePoolOptions(options);
    const { clock, owner, order, idleTimeout, shedding } = resolved;
    this.#options = resolved;
    this.#policy = POLICIES[resolved.policy];
    this.owner = owner;
    this.#home = owner();
    this.#connections = new OpenConnections({
      owner,
      teller: this.#teller,
      now: () => clock.now(),
      left: (entry) => this.#left(entry),
      freed: () => {
        this.#drained?.();
        this.#supply();
      },
    });
    this.#idle = new IdleShelf({
      clock,
      order,
      background: resolved.background,
      idleTimeout,
      spare: () => this.#connections.size - resolved.min,
      keepable: (entry) => this.#keepable(entry, clock.now()),
      close: (entry) => this.#connections.close(entry),
    });
    this.#line = new WaitingLine({
      clock,
      interval: Math.min(250, resolved.stallAfter),
      expired: (waiter, late) => this.#expired(waiter, late),
      look: (now) => this.#look(now),
      left: () => this.#supply(),
    });
    this.#opener = new Opener(resolved, {
      opened: (connection, permit, generation) => this.#opened(connection, permit, generation),
      failed: (error) => {
        this.#well = false;
        this.#line.shift()?.reject(error as Error);
      },
      changed: () => this.#supply(),
      wanting: () => Math.max(this.#line.size - this.#checking.size, this.#missing),
      generation: () => this.#generation,
    });
    this.#leaks = new LeakAlarm({
      clock,
      after: resolved.background ? resolved.leakAfter : Number.POSITIVE_INFINITY,
      forgotten: (entry) => this.#forgotten(entry),
      overdue: (entry) => this.#overdue(entry),
    });
    this.#notes = new CallerNotes(clock, Number.isFinite(resolved.leakAfter) ? true : resolved.callSites);
    if (shedding !== false) this.#shedding = new Shedding(shedding === true ? {} : shedding);
    resolved.permits.onRecall = (count) => this.#recall(count);
  }

  now(): number {
    return this.#options.clock.now();
  }

  /** How long a checkout waits that does not say, in ms. */
  get acquireTimeout(): number {
    return this.#options.acquireTimeout;
  }

  /** The pool in figures. */
  get status(): PoolStatus {
    return poolStatus({
      entries: this.#connections,
      opening: this.#opener.connecting,
      detached: this.#connections.detached,
      waiting: this.#line.size,
      generation: this.#generation,
      closed: this.#closed,
      max: this.#options.max,
      permits: this.#options.permits.status,
      now: this.now(),
    });
  }

  /** Listens to an event; call what comes back to leave. */
  on<Name extends keyof PoolEvents>(name: Name, listener: PoolEvents[Name], options?: ListenOptions): Unsubscribe {
    return this.#teller.on(name, listener, options);
  }

  /** Opens `min` connections, as far as they are not open, so that the first who need them find them ready. */
  async warm({ signal, timeout }: WarmOptions = {}): Promise<void> {
    const wanted = Array.from({ length: this.#options.min }, () => this.acquire({ signal, timeout, site: undefined }));
    const leases = await Promise.allSettled(wanted);
    for (const lease of leases) if (lease.status === 'fulfilled') lease.value.release();
    const failed = leases.find((lease) => lease.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  /**
   * Checks a connection out. Rejects with `ATH_POOL_TIMEOUT` at the deadline, `ATH_NESTED_CHECKOUT` where waiting would
   * be for nothing, `ATH_CANCELLED` by the signal, `ATH_POOL_CLOSED`, `ATH_FOREIGN_OWNER`, or with what opening a connection met.
   */
  acquire(options: AcquireOptions = {}): Promise<Lease> {
    try {
      const site =
        'site' in options
          ? options.site
          : this.callSite(Pool.prototype.acquire, { frames: 5, scoped: options.scope !== undefined });
      const lease = this.acquireNow({ ...options, site });
      return lease === undefined ? this.#wait(options, site) : Promise.resolve(lease);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** A connection that lies ready; `undefined` where one has to be waited for. Throws what refuses every checkout. */
  acquireNow(options: AcquireOptions): Lease | undefined {
    const refusal = this.#refusal(options);
    if (refusal !== undefined) throw refusal;
    if (!this.#options.background) this.#idle.tidy();
    const entry = this.#idle.peek();
    const now = this.now();
    if (entry === undefined) return this.#policy.shared ? this.#share(options, now) : undefined;
    if (this.#line.size > 0 || !this.#handy(entry, now)) return undefined;
    this.#idle.take();
    return this.#lend(entry, options, now);
  }

  /** Who is calling, as far as the pool's settings want it noted. `scoped`: the checkout ends with a callback. */
  callSite(above: (...args: never[]) => unknown, options: CallSiteOptions): CallSite | undefined {
    return this.#notes.take(above, options, this.#idle.size === 0);
  }

  /** Replaces every connection that is open now: idle ones at once, the others when they come back. */
  invalidate(): void {
    this.#generation += 1;
    this.#well = false;
    for (const entry of this.#idle.clear()) this.#connections.close(entry);
  }

  /** Closes what is idle now and waits for it; connections that are out are closed when they come back. The pool stays usable. */
  async dispose(): Promise<void> {
    if (this.#disowned()) return;
    this.invalidate();
    await this.#connections.ended();
  }

  /** Ends the pool: refuses those who wait, gives those who hold a connection time to return it, closes all. */
  async close(options: PoolCloseOptions = {}): Promise<void> {
    this.#disowned();
    this.#closed = true;
    this.#line.rejectAll(poolClosed);
    this.invalidate();
    const opened = this.#opener.close();
    await this.#drain(options.timeout ?? 5_000);
    for (const entry of [...this.#connections]) {
      if (entry.state !== 'closing') this.#connections.destroy(entry, 'the pool was closed');
    }
    await opened;
    await this.#connections.ended();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  toJSON(): Record<string, unknown> {
    return GUARD.json({ status: this.status.text });
  }

  // --- the end of a lease --------------------------------------------------------------------------------------

  /** @internal */
  giveBack(entry: Entry, lease: Lease): void {
    this.#leaks.forget(lease);
    this.#teller.tell('checkin', entry);
    entry.users -= 1;
    // Lost while it was out, or another process's: nothing of it is ours any more.
    if (entry.users > 0 || entry.ended || !sameOwner(entry.owner, this.owner())) return;
    const { status } = entry.connection;
    if (entry.pending > 0) this.#connections.destroy(entry, 'it came back with work under way');
    else if (entry.detached) this.#connections.close(entry);
    else if (status === 'idle' || status === 'closed') this.#return(entry);
    else this.#reset(entry);
  }

  /** @internal */
  detach(entry: Entry): void {
    if (entry.ended || entry.detached || !sameOwner(entry.owner, this.owner())) return;
    this.#connections.detach(entry);
  }

  /** @internal */
  drop(entry: Entry, lease: Lease, reason: string): void {
    this.#leaks.forget(lease);
    entry.users -= 1;
    if (entry.pending > 0) return this.#connections.destroy(entry, reason);
    this.#teller.tell('invalidate', entry, reason);
    this.#connections.close(entry);
  }

  /** @internal */
  soften(entry: Entry): void {
    entry.stale = true;
    this.#teller.tell('softInvalidate', entry);
  }

  #reset(entry: Entry): void {
    const { resetOnReturn, statements, clock, acquireTimeout } = this.#options;
    this.#notes.trouble();
    warnOf('ATH_POOL_OPEN_TRANSACTION', (id) => `Connection ${id} came back to its pool inside a transaction`, entry);
    if (resetOnReturn === 'none') return this.#connections.close(entry);
    const statement = statements[resetOnReturn];
    this.#teller.tell('reset', entry, statement.text.sql);
    entry.state = 'resetting';
    const then = (answered: boolean): void => {
      if (answered && entry.connection.status === 'idle') this.#return(entry);
      else this.#connections.destroy(entry, 'its reset did not end the transaction');
    };
    answerWithin(entry.connection, statement, { clock, limit: acquireTimeout, then });
  }

  #forgotten(entry: Entry): void {
    if (entry.state !== 'in use' || !sameOwner(entry.owner, this.owner())) return;
    this.#notes.trouble();
    entry.users -= 1;
    if (entry.users > 0) return;
    const what = (id: string): string =>
      `Connection ${id} was never given back and has been garbage collected; it is closed now`;
    warnOf('ATH_POOL_LEAK', what, entry);
    if (entry.pending > 0) this.#connections.destroy(entry, 'its holder was garbage collected');
    else this.#connections.close(entry);
  }

  #overdue(entry: Entry): void {
    const { leakAfter } = this.#options;
    warnOf('ATH_POOL_OVERDUE', (id) => `Connection ${id} has not come back within ${leakAfter} ms`, entry);
  }

  // --- checkout ------------------------------------------------------------------------------------------------

  #refusal(options: AcquireOptions): Error | undefined {
    const user = this.owner();
    if (!sameOwner(this.#home, user)) return foreignOwner('The pool', this.#home, user);
    if (this.#closed) return poolClosed();
    return options.signal?.aborted === true ? cancelledWait(options.signal) : undefined;
  }

  #keepable(entry: Entry, now: number): boolean {
    if (!this.#policy.reuse && entry.checkout > 0) return false;
    if (entry.generation !== this.#generation || entry.stale || now >= entry.expiresAt) return false;
    return entry.connection.status === 'idle' && sameOwner(entry.owner, this.#home);
  }

  /** Fit to go out as it is. */
  #handy(entry: Entry, now: number): boolean {
    const { pingAfter, clock } = this.#options;
    return entry.idledFor(now, clock.wall()) <= pingAfter && this.#keepable(entry, now);
  }

  #lend(entry: Entry, { scope, site }: Pick<AcquireOptions, 'scope' | 'site'>, now: number): Lease {
    entry.lend(now, site);
    const lease = new Lease(this, entry, scope);
    this.#leaks.watch(lease, entry);
    this.#teller.tell('checkout', entry);
    return lease;
  }

  /** The one connection of all, where somebody has it already. */
  #share(options: AcquireOptions, now: number): Lease | undefined {
    for (const entry of this.#connections) {
      if (entry.state === 'in use' && entry.connection.status !== 'closed') return this.#lend(entry, options, now);
    }
    return undefined;
  }

  #wait(options: AcquireOptions, site: CallSite | undefined): Promise<Lease> {
    if (this.#policy.alone && this.status.inUse + this.#line.size > 0) return Promise.reject(notAlone(this.status));
    const holding = currentTask()?.holding(this) ?? [];
    if (holding.length > 0 && this.#idle.size === 0 && this.#full && this.#arriving <= this.#line.size) {
      return Promise.reject(nestedCheckout(holding, this.status));
    }
    if (this.#line.size >= this.#options.maxWaiting) {
      return Promise.reject(tooManyWaiting(this.#options.maxWaiting, this.status));
    }
    const { signal, timeout = this.#options.acquireTimeout, scope } = options;
    const lease = this.#line.join({ timeout, signal, scope, site, holding });
    this.#teller.waiting(this.#line.size);
    this.#supply();
    return lease;
  }

  /** Connections that will be there soon without anybody giving one back. */
  get #arriving(): number {
    return this.#checking.size + this.#opener.promising;
  }

  /** Connections to open though nobody waits for them. None before the first use, nor while they are hard to get. */
  get #missing(): number {
    const { min, permits } = this.#options;
    if (min <= this.#connections.size || !this.#well || this.#opener.shortage !== undefined) return 0;
    return Math.max(0, Math.min(min, permits.status.most ?? min) - this.#connections.size);
  }

  /** No further connection can be opened, as far as this process knows. */
  get #full(): boolean {
    const most = this.#options.permits.status.most ?? Number.POSITIVE_INFINITY;
    const own = this.#connections.size + this.#opener.connecting;
    return own >= this.#options.max || own + this.#connections.detached >= most;
  }

  /** Sees to it that for each waiter a connection is on its way, as far as there may be one. */
  #supply(): void {
    if (this.#closed) return;
    while (this.#line.size > this.#arriving) {
      const entry = this.#idle.take();
      if (entry !== undefined) this.#refresh(entry);
      else if (this.#opener.asking || this.#opener.isVain(this.#line.deadline)) break;
      else if (this.#connections.size + this.#opener.connecting >= this.#options.max) break;
      else this.#opener.open(this.#line.deadline);
    }
    const room = this.#connections.size + this.#opener.connecting < this.#options.max;
    const missing = room && this.#missing > this.#opener.promising;
    if (!this.#opener.asking && missing) this.#opener.open(this.now() + this.#options.acquireTimeout);
    else if (this.#opener.asking && !missing && this.#line.size <= this.#arriving) this.#opener.stopAsking();
  }

  /** Hands an idle connection to whoever waits, after a sign of life if need be. */
  #refresh(entry: Entry): void {
    const { clock, statements } = this.#options;
    const now = this.now();
    if (this.#handy(entry, now)) return this.#deliver(entry, now);
    if (!this.#keepable(entry, now)) return this.#connections.close(entry);
    entry.state = 'checking';
    this.#checking.add(entry);
    const then = (answered: boolean): void => {
      if (answered) this.#return(entry);
      else this.#connections.destroy(entry, 'it gave no sign of life');
    };
    answerWithin(entry.connection, statements.ping, { clock, limit: 1_000, then });
  }

  #return(entry: Entry): void {
    if (entry.ended) return;
    this.#checking.delete(entry);
    const now = this.now();
    const recalled = this.#debt.count > 0 && now < this.#debt.until;
    if (recalled) this.#debt.count -= 1;
    if (!this.#closed && !recalled && this.#keepable(entry, now)) return this.#deliver(entry, now);
    this.#connections.close(entry);
    // Whoever waited for this one need not wait for its goodbye where another lies ready.
    this.#supply();
  }

  /** A connection is free, and as it should be: for the first who waits, or for the shelf. */
  #deliver(entry: Entry, now: number): void {
    const waiter = this.#next(now);
    if (waiter === undefined) {
      entry.rest(now, this.#options.clock.wall());
      this.#idle.put(entry);
      return;
    }
    waiter.resolve(this.#lend(entry, waiter, now));
    if (this.#policy.shared) {
      for (let other = this.#next(now); other !== undefined; other = this.#next(now)) {
        other.resolve(this.#lend(entry, other, now));
      }
    }
    if (this.#opener.asking) this.#supply();
  }

  /** Who is to be served now. */
  #next(now: number): Waiter | undefined {
    for (let waiter = this.#line.shift(); waiter !== undefined; waiter = this.#line.shift()) {
      if (this.#shedding?.refuses(now - waiter.since, now) !== true) return waiter;
      this.#shed(waiter, now);
    }
    return undefined;
  }

  #shed(waiter: Waiter, now: number): void {
    this.#notes.trouble();
    waiter.reject(shed(now - waiter.since, this.status));
  }

  // --- opening and closing -------------------------------------------------------------------------------------

  #opened(connection: DriverConnection, permit: Permit, generation: number): void {
    const { maxLifetime, random } = this.#options;
    const openedAt = this.now();
    // Jitter only shortens, so that connections opened together do not end together, and none outlives its limit.
    const expiresAt = openedAt + maxLifetime * (1 - random() / 10);
    const entry = new Entry({ connection, permit, owner: this.owner(), generation, openedAt, expiresAt });
    this.#connections.add(entry);
    this.#well = generation === this.#generation;
    connection.onLost = (error) => this.#connections.lost(entry, error);
    this.#teller.connected(entry);
    if (connection.status === 'closed') this.#connections.lost(entry, undefined);
    else if (this.#closed || generation !== this.#generation) this.#connections.close(entry);
    else this.#deliver(entry, openedAt);
    this.#supply();
  }

  /** A connection ends, for whatever reason. */
  #left(entry: Entry): void {
    this.#idle.remove(entry);
    const active = entry.state === 'in use' || entry.state === 'checking';
    this.#checking.delete(entry);
    // Where one connection in use went away unasked, others of its age may be dead without knowing it.
    if (active && entry.failed && entry.generation === this.#generation) this.invalidate();
  }

  // --- what time and others bring ------------------------------------------------------------------------------

  #recall(count: number): void {
    let left = count;
    for (; left > 0; left -= 1) {
      const entry = this.#idle.takeOldest();
      if (entry === undefined) break;
      this.#connections.close(entry);
    }
    // The rest is paid by what comes back soon; a second later the asker has been served or asks again.
    this.#debt = { count: left, until: this.now() + 1_000 };
  }

  #expired(waiter: Waiter, late: number): Error {
    this.#notes.trouble();
    return checkoutTimedOut({ waited: this.now() - waiter.since, late, cause: this.#opener.shortage }, this.status);
  }

  #look(now: number): void {
    this.#supply();
    const shedding = this.#shedding;
    if (shedding !== undefined) {
      for (const waiter of this.#line) {
        if (!shedding.refuses(now - waiter.since, now)) break;
        this.#shed(waiter, now);
      }
    }
    if (this.#arriving > 0) return;
    let last: Waiter | undefined;
    for (const waiter of this.#line) {
      if (now - waiter.since < this.#options.stallAfter) continue;
      this.#notes.trouble();
      last = waiter;
      if (waiter.holding.length > 0) waiter.reject(nestedCheckout(waiter.holding, this.status));
    }
    // One at a time, and the last comer first: in a knot it is most likely the one that holds a connection already.
    const { stallAfter } = this.#options;
    if (last?.holding.length === 0 && this.#full && allStand(this.#connections, now - stallAfter)) {
      last.reject(stalledCheckout(now - last.since, this.status));
    }
    // A permit that was asked for on behalf of those refused is nobody's wish any more.
    this.#supply();
  }

  #drain(timeout: number): Promise<void> {
    const out = (): boolean => [...this.#connections].some((entry) => !entry.ended);
    if (!out()) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.#drained = undefined;
        resolve();
      };
      const timer = this.#options.clock.timer(timeout, end);
      this.#drained = () => {
        if (!out()) end();
      };
    });
  }

  /** Whether the connections were another process's or thread's; then they are forgotten, without touching them. */
  #disowned(): boolean {
    const user = this.owner();
    if (sameOwner(this.#home, user)) return false;
    this.#home = user;
    this.#generation += 1;
    this.#idle.clear();
    this.#checking.clear();
    this.#connections.disown();
    return true;
  }
}
