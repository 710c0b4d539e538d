// Waiting for another connection's lock. SQLite's own wait would hold the thread, and with it the very session of this
// process that has the lock: so SQLite is told not to wait, and the driver tries again between other work.
const SQLITE_BUSY = 5;
/** What was read is outdated: no waiting will help this transaction. */
const BUSY_SNAPSHOT = 517;

/** Whether SQLite did nothing, because of a lock that will be given back. */
export function isBusy(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return false;
  return (error.errcode & 0xff) === SQLITE_BUSY && error.errcode !== BUSY_SNAPSHOT;
}

/** How long a lock has been waited for, and whether that is long enough. */
export class Patience {
  readonly #limit: number;
  #since: number | undefined;

  /** `limit` in milliseconds. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Milliseconds since the first refusal; `undefined` where there was none. */
  get waited(): number | undefined {
    return this.#since === undefined ? undefined : Math.round(performance.now() - this.#since);
  }

  /** Notes a refusal. `false` when there is no patience left. */
  refused(): boolean {
    this.#since ??= performance.now();
    return performance.now() - this.#since < this.#limit;
  }

  /** The lock was got: the next one is waited for anew. */
  got(): void {
    this.#since = undefined;
  }
}
