// The pool of one engine in one thread: it hands out open connections, opens them when there are permits, and gives
// both back when they are not needed. A warm checkout is an array pop; all else happens because somebody waits.
import type { DriverConnection } from '../driver/driver.ts';
import { NOT_TRANSFERABLE, type TransferGuard, transferGuard } from '../errors/index.ts';
import { CallSite } from '../primitives/call-site.ts';
import { answerWithin } from './answer-within.ts';
import { warnOf } from './connection-warning.ts';
import { Entry } from './entry.ts';
import { IdleShelf } from './idle-shelf.ts';
import { LeakAlarm } from './leak-alarm.ts';
import { Lease, type LeaseHome } from './lease.ts';
import { OpenConnections } from './open-connections.ts';
import { Opener } from './opener.ts';
import { foreignOwner, type Owner, type OwnerSource, sameOwner } from './owner.ts';
import type { Permit } from './permits.ts';
import { Observers, type PoolObserver } from './pool-observer.ts';
import { type PoolOptions, type ResolvedPoolOptions, resolvePoolOptions } from './pool-options.ts';
import { type PoolStatus, poolStatus } from './pool-status.ts';
import { checkoutTimedOut, nestedCheckout, poolClosed, stalledCheckout, tooManyWaiting } from './shortage.ts';
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

export interface CallSiteOptions {
  readonly frames: number;
  readonly scoped: boolean;
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
  readonly #observers = new Observers();
  readonly #connections: OpenConnections;
  readonly #idle: IdleShelf;
  readonly #line: WaitingLine;
  readonly #opener: Opener;
  readonly #leaks: LeakAlarm;
  /** Idle connections that are being asked for a sign of life. */
  readonly #checking = new Set<Entry>();
  #home: Owner;
  #generation = 0;
  #closed = false;
  /** Something went wrong here before: from now on every checkout notes who called. */
  #troubled = false;
  /** Checkouts outside callback scopes that still note who called though nothing is wrong. */
  #samples = 1_000;
  /** Connections that others wait for and that were not idle when they asked. */
  #debt = { count: 0, until: 0 };
  #drained: (() => void) | undefined;

  constructor(options: PoolOptions) {
    const resolved = resolvePoolOptions(options);
    const { clock, owner, order, idleTimeout } = resolved;
    this.#options = resolved;
    this.owner = owner;
    this.#home = owner();
    this.#connections = new OpenConnections({
      owner,
      observers: this.#observers,
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
      idleTimeout,
      spare: () => this.#connections.size - resolved.min,
      keepable: (entry) => this.#keepable(entry, clock.now()),
      close: (entry) => this.#connections.close(entry),
    });
    this.#line = new WaitingLine({
      clock,
      interval: Math.min(250, resolved.stallAfter),
      expired: (waiter) => this.#expired(waiter),
      look: (now) => this.#look(now),
      left: () => this.#supply(),
    });
    this.#opener = new Opener(resolved, {
      opened: (connection, permit, generation) => this.#opened(connection, permit, generation),
      failed: (error) => this.#line.shift()?.reject(error as Error),
      changed: () => this.#supply(),
      wanting: () => this.#line.size - this.#checking.size,
      generation: () => this.#generation,
    });
    this.#leaks = new LeakAlarm((entry) => this.#forgotten(entry));
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
      waiting: this.#line.size,
      generation: this.#generation,
      closed: this.#closed,
      max: this.#options.max,
      permits: this.#options.permits.status,
      now: this.now(),
    });
  }

  /** Adds an observer; call what comes back to remove it. */
  observe(observer: PoolObserver): () => void {
    return this.#observers.add(observer);
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
    const entry = this.#idle.peek();
    if (entry === undefined || this.#line.size > 0) return undefined;
    const now = this.now();
    if (!this.#handy(entry, now)) return undefined;
    this.#idle.take();
    return this.#lend(entry, options, now);
  }

  /** Who is calling, as far as the pool's settings want it noted. `scoped`: the checkout ends with a callback. */
  callSite(above: (...args: never[]) => unknown, { frames, scoped }: CallSiteOptions): CallSite | undefined {
    const { callSites } = this.#options;
    if (callSites === false) return undefined;
    let needed = callSites === true || this.#troubled || this.#idle.size === 0;
    if (!needed && !scoped && this.#samples > 0) {
      this.#samples -= 1;
      needed = true;
    }
    return needed ? new CallSite(above, frames) : undefined;
  }

  /** Replaces every connection that is open now: idle ones at once, the others when they come back. */
  invalidate(): void {
    this.#generation += 1;
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
    if (!this.#observers.none) this.#observers.each(entry, (observer, connection) => observer.checkin?.(connection));
    // Lost while it was out, or another process's: nothing of it is ours any more.
    if (entry.ended || !sameOwner(entry.owner, this.owner())) return;
    const { status } = entry.connection;
    if (entry.pending > 0) this.#connections.destroy(entry, 'it came back with work under way');
    else if (status === 'idle' || status === 'closed') this.#return(entry);
    else this.#reset(entry);
  }

  /** @internal */
  drop(entry: Entry, lease: Lease, reason: string): void {
    this.#leaks.forget(lease);
    if (entry.pending > 0) return this.#connections.destroy(entry, reason);
    this.#observers.each(entry, (observer, connection) => observer.invalidate?.(connection, reason));
    this.#connections.close(entry);
  }

  /** @internal */
  soften(entry: Entry): void {
    entry.stale = true;
    this.#observers.each(entry, (observer, connection) => observer.softInvalidate?.(connection));
  }

  #reset(entry: Entry): void {
    const { resetOnReturn, statements, clock, acquireTimeout } = this.#options;
    this.#troubled = true;
    warnOf('ATH_POOL_OPEN_TRANSACTION', (id) => `Connection ${id} came back to its pool inside a transaction`, entry);
    if (resetOnReturn === 'none') return this.#connections.close(entry);
    const statement = statements[resetOnReturn];
    this.#observers.each(entry, (observer, connection) => observer.reset?.(connection, statement.text.sql));
    entry.state = 'resetting';
    const then = (answered: boolean): void => {
      if (answered && entry.connection.status === 'idle') this.#return(entry);
      else this.#connections.destroy(entry, 'its reset did not end the transaction');
    };
    answerWithin(entry.connection, statement, { clock, limit: acquireTimeout, then });
  }

  #forgotten(entry: Entry): void {
    if (entry.state !== 'in use' || !sameOwner(entry.owner, this.owner())) return;
    this.#troubled = true;
    const what = (id: string): string =>
      `Connection ${id} was never given back and has been garbage collected; it is closed now`;
    warnOf('ATH_POOL_LEAK', what, entry);
    if (entry.pending > 0) this.#connections.destroy(entry, 'its holder was garbage collected');
    else this.#connections.close(entry);
  }

  // --- checkout ------------------------------------------------------------------------------------------------

  #refusal(options: AcquireOptions): Error | undefined {
    const user = this.owner();
    if (!sameOwner(this.#home, user)) return foreignOwner('The pool', this.#home, user);
    if (this.#closed) return poolClosed();
    return options.signal?.aborted === true ? cancelledWait(options.signal) : undefined;
  }

  #keepable(entry: Entry, now: number): boolean {
    if (entry.generation !== this.#generation || entry.stale || now >= entry.expiresAt) return false;
    return entry.connection.status === 'idle' && sameOwner(entry.owner, this.#home);
  }

  /** Fit to go out as it is. */
  #handy(entry: Entry, now: number): boolean {
    return now - entry.idleSince <= this.#options.pingAfter && this.#keepable(entry, now);
  }

  #lend(entry: Entry, { scope, site }: Pick<AcquireOptions, 'scope' | 'site'>, now: number): Lease {
    entry.lend(now, site);
    const lease = new Lease(this, entry, scope);
    this.#leaks.watch(lease, entry);
    if (!this.#observers.none) this.#observers.each(entry, (observer, connection) => observer.checkout?.(connection));
    return lease;
  }

  #wait(options: AcquireOptions, site: CallSite | undefined): Promise<Lease> {
    const holding = currentTask()?.holding(this) ?? [];
    if (holding.length > 0 && this.#idle.size === 0 && this.#full && this.#arriving <= this.#line.size) {
      return Promise.reject(nestedCheckout(holding, this.status));
    }
    if (this.#line.size >= this.#options.maxWaiting) {
      return Promise.reject(tooManyWaiting(this.#options.maxWaiting, this.status));
    }
    const { signal, timeout = this.#options.acquireTimeout, scope } = options;
    const lease = this.#line.join({ timeout, signal, scope, site, holding });
    this.#observers.waiting(this.#line.size);
    this.#supply();
    return lease;
  }

  /** Connections that will be there soon without anybody giving one back. */
  get #arriving(): number {
    return this.#checking.size + this.#opener.promising;
  }

  /** No further connection can be opened, as far as this process knows. */
  get #full(): boolean {
    const most = this.#options.permits.status.most ?? Number.POSITIVE_INFINITY;
    return this.#connections.size + this.#opener.connecting >= Math.min(this.#options.max, most);
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
    if (this.#opener.asking && this.#line.size <= this.#arriving) this.#opener.stopAsking();
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
    if (this.#closed || recalled || !this.#keepable(entry, now)) this.#connections.close(entry);
    else this.#deliver(entry, now);
  }

  /** A connection is free, and as it should be: for the first who waits, or for the shelf. */
  #deliver(entry: Entry, now: number): void {
    const waiter = this.#line.shift();
    if (waiter !== undefined) {
      waiter.resolve(this.#lend(entry, waiter, now));
      if (this.#opener.asking) this.#supply();
      return;
    }
    entry.state = 'idle';
    entry.idleSince = now;
    this.#idle.put(entry);
  }

  // --- opening and closing -------------------------------------------------------------------------------------

  #opened(connection: DriverConnection, permit: Permit, generation: number): void {
    const { maxLifetime, random } = this.#options;
    const openedAt = this.now();
    // Jitter only shortens, so that connections opened together do not end together, and none outlives its limit.
    const expiresAt = openedAt + maxLifetime * (1 - random() / 10);
    const entry = new Entry({ connection, permit, owner: this.owner(), generation, openedAt, expiresAt });
    this.#connections.add(entry);
    connection.onLost = (error) => this.#connections.lost(entry, error);
    this.#observers.connected(entry);
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

  #expired(waiter: Waiter): Error {
    this.#troubled = true;
    return checkoutTimedOut(this.now() - waiter.since, this.status, this.#opener.shortage);
  }

  #look(now: number): void {
    this.#supply();
    if (this.#arriving > 0) return;
    let last: Waiter | undefined;
    for (const waiter of this.#line) {
      if (now - waiter.since < this.#options.stallAfter) continue;
      this.#troubled = true;
      last = waiter;
      if (waiter.holding.length > 0) waiter.reject(nestedCheckout(waiter.holding, this.status));
    }
    // One at a time, and the last comer first: in a knot it is most likely the one that holds a connection already.
    const { stallAfter } = this.#options;
    if (last?.holding.length === 0 && this.#full && allStand(this.#connections, now - stallAfter)) {
      last.reject(stalledCheckout(now - last.since, this.status));
    }
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
