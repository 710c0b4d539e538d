// A connection whose holder forgot it is lost to everybody. The garbage collector sees that nobody can give it back
// any more, and says so; a clock, if asked to, sees what is out for too long before that.
import type { Clock, ClockTimer } from '../primitives/clock.ts';
import type { Entry } from './entry.ts';
import type { Lease } from './lease.ts';

export interface LeakAlarmOptions {
  readonly clock: Clock;
  /** How long a connection may be out unreported, in ms; infinite for any time. */
  readonly after: number;
  /** A lease was garbage collected while its connection was out. */
  forgotten(entry: Entry): void;
  /** A connection is out for too long; told once a checkout. */
  overdue(entry: Entry): void;
}

/** Tells of connections that do not come back. */
export class LeakAlarm {
  readonly #options: LeakAlarmOptions;
  readonly #registry: FinalizationRegistry<Entry>;
  /** What is out and not yet reported, longest first, by checkout. */
  readonly #out = new Map<Entry, number>();
  #timer: ClockTimer | undefined;

  constructor(options: LeakAlarmOptions) {
    this.#options = options;
    this.#registry = new FinalizationRegistry((entry) => options.forgotten(entry));
  }

  watch(lease: Lease, entry: Entry): void {
    this.#registry.register(lease, entry, lease);
    if (!Number.isFinite(this.#options.after)) return;
    this.#out.delete(entry);
    this.#out.set(entry, entry.checkout);
    this.#arm();
  }

  forget(lease: Lease): void {
    this.#registry.unregister(lease);
  }

  #arm(): void {
    const { clock, after } = this.#options;
    const [first] = this.#out.keys();
    if (first === undefined || this.#timer !== undefined) return;
    const due = first.since + after - clock.now();
    this.#timer = clock.timer(due, () => this.#look(), true);
  }

  #look(): void {
    this.#timer = undefined;
    const { clock, after, overdue } = this.#options;
    const now = clock.now();
    for (const [entry, checkout] of this.#out) {
      const back = entry.state !== 'in use' || entry.checkout !== checkout;
      if (!back && now - entry.since < after) break;
      this.#out.delete(entry);
      if (!back) overdue(entry);
    }
    this.#arm();
  }
}
