// Who has a connection, since when, and what they did with it last: what a pool needs to name its holders.
import type { DriverStatement } from '../driver/driver.ts';
import type { CallSite } from '../primitives/call-site.ts';

/** The checkout of one connection, the one that lasts or the last. Its fields are the pool's. */
export class Checkout {
  /** Counts checkouts, so that a late word about an earlier one is known for what it is. */
  checkout = 0;
  /** How many hold the connection: more than one only where all share it. */
  users = 0;
  /** When it went out. */
  since = 0;
  site: CallSite | undefined;
  /** The batch last sent during this checkout, and when. */
  last: readonly DriverStatement[] | undefined;
  activeAt = 0;
  /** Batches sent and not yet answered. */
  pending = 0;

  /** Somebody takes it. Whether it was nobody's before. */
  began(now: number, site: CallSite | undefined): boolean {
    this.checkout += 1;
    this.users += 1;
    if (this.users > 1) return false;
    this.since = now;
    this.activeAt = now;
    this.site = site;
    this.last = undefined;
    return true;
  }
}
