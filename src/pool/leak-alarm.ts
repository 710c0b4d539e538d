// A connection whose holder forgot it is lost to everybody. The garbage collector sees that nobody can give it back
// any more, and says so.
import type { Entry } from './entry.ts';
import type { Lease } from './lease.ts';

/** Tells of leases that were garbage collected while their connection was out. */
export class LeakAlarm {
  readonly #registry: FinalizationRegistry<Entry>;

  constructor(forgotten: (entry: Entry) => void) {
    this.#registry = new FinalizationRegistry(forgotten);
  }

  watch(lease: Lease, entry: Entry): void {
    this.#registry.register(lease, entry, lease);
  }

  forget(lease: Lease): void {
    this.#registry.unregister(lease);
  }
}
