// What a pool knows of one open connection: where it stands, who opened it, how old it is, and, while it is out, who
// has it and what was done last.
import type { DriverConnection, DriverStatement } from '../driver/driver.ts';
import type { HolderRecord } from '../errors/index.ts';
import type { CallSite } from '../primitives/call-site.ts';
import type { Owner } from './owner.ts';
import type { Permit } from './permits.ts';

export type EntryState = 'checking' | 'idle' | 'in use' | 'resetting' | 'closing' | 'closed';

export interface EntryOptions {
  readonly connection: DriverConnection;
  readonly permit: Permit;
  readonly owner: Owner;
  readonly generation: number;
  readonly openedAt: number;
  readonly expiresAt: number;
}

/** One open connection of a pool. Its fields are the pool's; nobody else changes them. */
export class Entry {
  readonly id: string;
  readonly connection: DriverConnection;
  readonly permit: Permit;
  readonly owner: Owner;
  readonly generation: number;
  readonly openedAt: number;
  readonly expiresAt: number;
  state: EntryState = 'idle';
  /** When it last came back. */
  idleSince: number;
  /** Counts checkouts, so that a late word about an earlier one is known for what it is. */
  checkout = 0;
  /** When it went out. */
  since = 0;
  site: CallSite | undefined;
  /** The batch last sent during this checkout, and when. */
  last: readonly DriverStatement[] | undefined;
  activeAt = 0;
  /** Batches sent and not yet answered. */
  pending = 0;
  /** Drop it instead of handing it out again. */
  stale = false;
  /** It went away unasked, or gave no answer. */
  failed = false;
  /** Why it went away, where it did. */
  lost: Error | undefined;
  #info: Map<unknown, unknown> | undefined;

  constructor(options: EntryOptions) {
    this.id = options.permit.id;
    this.connection = options.connection;
    this.permit = options.permit;
    this.owner = options.owner;
    this.generation = options.generation;
    this.openedAt = options.openedAt;
    this.expiresAt = options.expiresAt;
    this.idleSince = options.openedAt;
  }

  /** Notes of the application, kept as long as the connection is open. */
  get info(): Map<unknown, unknown> {
    this.#info ??= new Map();
    return this.#info;
  }

  /** It goes out. */
  lend(now: number, site: CallSite | undefined): void {
    this.state = 'in use';
    this.checkout += 1;
    this.since = now;
    this.activeAt = now;
    this.site = site;
    this.last = undefined;
  }

  /** Being closed, or closed. */
  get ended(): boolean {
    return this.state === 'closing' || this.state === 'closed';
  }

  /** Open in a transaction with nothing under way: it waits for its holder. */
  get idleInTransaction(): boolean {
    const { status } = this.connection;
    return this.pending === 0 && (status === 'transaction' || status === 'failed');
  }

  /** As a holder, at `now`. */
  describe(now: number): HolderRecord {
    const { status } = this.connection;
    const last = this.last?.at(-1)?.text.sql;
    return {
      connectionId: this.id,
      since: Math.round(now - this.since),
      inTransaction: status === 'transaction' || status === 'failed',
      ...(last === undefined ? {} : { lastStatement: last.length > 200 ? `${last.slice(0, 200)}...` : last }),
      ...(this.site === undefined ? {} : { callSite: this.site.toString() }),
    };
  }
}
