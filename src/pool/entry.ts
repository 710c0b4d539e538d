// What a pool knows of one open connection: where it stands, who opened it, how old it is, and, while it is out, who
// has it and what was done last.
import type { DriverConnection } from '../driver/driver.ts';
import type { HolderRecord } from '../errors/index.ts';
import type { CallSite } from '../primitives/call-site.ts';
import { Checkout } from './checkout.ts';
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
export class Entry extends Checkout {
  readonly id: string;
  readonly connection: DriverConnection;
  readonly permit: Permit;
  readonly owner: Owner;
  readonly generation: number;
  readonly openedAt: number;
  readonly expiresAt: number;
  state: EntryState = 'idle';
  /** When it last came back; by the time of day, too, which a frozen process does not stop. */
  idleSince: number;
  idleWall = 0;
  /** Its holder keeps it, and the pool does not count it any more. */
  detached = false;
  /** Drop it instead of handing it out again. */
  stale = false;
  /** It went away unasked, or gave no answer. */
  failed = false;
  /** Why it went away, where it did. */
  lost: Error | undefined;
  /** The place it has in the pool, where that was ever noted. */
  record: Map<unknown, unknown> | undefined;
  #info: Map<unknown, unknown> | undefined;

  constructor(options: EntryOptions) {
    super();
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

  /** Notes that outlive the connection: whichever takes its place in the pool has them. */
  get recordInfo(): Map<unknown, unknown> {
    this.record ??= new Map();
    return this.record;
  }

  /** It goes out. */
  lend(now: number, site: CallSite | undefined): void {
    if (this.began(now, site)) this.state = 'in use';
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

  /** It lies ready from now on. */
  rest(now: number, wall: number): void {
    this.state = 'idle';
    this.idleSince = now;
    this.idleWall = wall;
  }

  /** How long it has lain ready, by whichever clock says longer. */
  idledFor(now: number, wall: number): number {
    return Math.max(now - this.idleSince, wall - this.idleWall);
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
