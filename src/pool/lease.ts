// One checkout of one connection. It ends once; what is done with it after that, or by a process or thread that did
// not open the connection, is refused. Nothing in the pool refers to it, so that a lease nobody gave back can be seen
// to have been forgotten.
import type { DriverConnection, DriverStatement, Sink, SubmitOptions } from '../driver/driver.ts';
import { type HolderRecord, NOT_TRANSFERABLE, StateError, type TransferGuard, transferGuard } from '../errors/index.ts';
import type { Entry } from './entry.ts';
import { foreignOwner, type OwnerSource, sameOwner } from './owner.ts';
import type { TaskScope } from './task-scope.ts';

/** What a lease needs of the pool it is from. */
export interface LeaseHome {
  readonly owner: OwnerSource;
  now(): number;
  /** The connection comes back; the pool looks at its state before anybody else gets it. */
  giveBack(entry: Entry, lease: Lease): void;
  /** The connection is dropped when it comes back. */
  soften(entry: Entry): void;
  /** The connection stays with its holder, and is closed when it comes back. */
  detach(entry: Entry): void;
  /** The connection is not wanted back. */
  drop(entry: Entry, lease: Lease, reason: string): void;
}

const GUARD = transferGuard('A pooled connection', 'Send the engine descriptor and open a connection over there.');

/** One checkout of one connection. */
export class Lease {
  readonly [NOT_TRANSFERABLE]: TransferGuard = GUARD;
  readonly #home: LeaseHome;
  readonly #entry: Entry;
  readonly #scope: TaskScope | undefined;
  #open = true;

  constructor(home: LeaseHome, entry: Entry, scope: TaskScope | undefined) {
    this.#home = home;
    this.#entry = entry;
    this.#scope = scope;
    scope?.add(this);
  }

  get pool(): object {
    return this.#home;
  }

  get connectionId(): string {
    return this.#entry.id;
  }

  /** Whether the checkout lasts and its connection is there. */
  get usable(): boolean {
    return this.#open && this.#entry.connection.status !== 'closed';
  }

  /** Why the connection went away, if it did. */
  get lost(): Error | undefined {
    return this.#entry.lost;
  }

  /** Whether the connection was opened for this checkout. */
  get fresh(): boolean {
    return this.#entry.checkout === 1;
  }

  /** Notes of the application, kept as long as the connection is open. */
  get info(): Map<unknown, unknown> {
    return this.#entry.info;
  }

  /** Notes of the application, kept for the connections that follow in this one's place, too. */
  get recordInfo(): Map<unknown, unknown> {
    return this.#entry.recordInfo;
  }

  /** The driver's connection. Throws `ATH_STATE` after release, `ATH_FOREIGN_OWNER` in a foreign process or thread. */
  get connection(): DriverConnection {
    const entry = this.#entry;
    if (!this.#open) throw released(entry.id);
    const user = this.#home.owner();
    if (!sameOwner(entry.owner, user)) throw foreignOwner(`Connection ${entry.id}`, entry.owner, user);
    return entry.connection;
  }

  /** Sends a batch. Each call is followed by one of `settled()`, when its promise has settled or it threw. */
  submit(batch: readonly DriverStatement[], sink: Sink, options?: SubmitOptions): Promise<void> {
    const entry = this.#entry;
    entry.pending += 1;
    const { connection } = this;
    entry.last = batch;
    return connection.submit(batch, sink, options);
  }

  /** What only the driver's connection can do, COPY and cursors. As with `submit`, a call of `settled()` follows. */
  use<T>(work: (connection: DriverConnection) => T): T {
    this.#entry.pending += 1;
    return work(this.connection);
  }

  settled(): void {
    this.#entry.pending -= 1;
    this.#entry.activeAt = this.#home.now();
  }

  /** Batches sent and not yet answered. */
  get pending(): number {
    return this.#entry.pending;
  }

  describe(): HolderRecord {
    return this.#entry.describe(this.#home.now());
  }

  /** Gives the connection back. Does nothing the second time. */
  release(): void {
    if (this.#end()) this.#home.giveBack(this.#entry, this);
  }

  /** Drops the connection: now, or when it comes back (`soft`). */
  invalidate(reason: string, soft = false): void {
    if (soft) this.#home.soften(this.#entry);
    else if (this.#end()) this.#home.drop(this.#entry, this, reason);
  }

  /**
   * Takes the connection out of its pool, which may open another in its place: `release()` closes it. It keeps its
   * permit until then. Throws `ATH_STATE` after release, or where several hold the connection.
   */
  detach(): void {
    const entry = this.#entry;
    if (!this.#open) throw released(entry.id);
    if (entry.users > 1) {
      throw new StateError(`Connection ${entry.id} is shared by ${entry.users} and cannot be detached.`);
    }
    this.#home.detach(entry);
  }

  #end(): boolean {
    const open = this.#open;
    this.#open = false;
    if (open) this.#scope?.delete(this);
    return open;
  }

  toJSON(): Record<string, unknown> {
    return GUARD.json({ connectionId: this.#entry.id, open: this.#open });
  }
}

function released(id: string): StateError {
  return new StateError(`Connection ${id} was used after it was given back to its pool.`, { outcome: 'not-sent' });
}
