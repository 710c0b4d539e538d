// A permit is the right to hold one open server connection. The pool asks for one when it opens a connection and gives
// it back when that connection is closed, never for a checkout. Counting within this process is one implementation
// (local-permits.ts), the broker that counts for all processes another (process/shared-permits.ts).
import type { ServerIdentity } from '../driver/driver.ts';

/** The right to hold one open server connection. */
export interface Permit {
  /** Unique within an epoch; ends up in application_name. */
  readonly id: string;
  /** What the connection must be called on the server, where whoever counts finds it by that. */
  readonly applicationName?: string | undefined;
  /** Says which server process the permit was spent on. */
  opened(identity: ServerIdentity): void;
  /** Gives it back. Only once the server has closed its end: `clean` false says that this could not be seen. Idempotent. */
  release(clean?: boolean): void;
}

export interface PermitOptions {
  readonly signal?: AbortSignal | undefined;
  /** Absolute deadline by `performance.now()`. */
  readonly deadline: number;
}

export interface PermitsStatus {
  /** The budget this process lives under; `undefined` where nothing limits it. */
  readonly budget: number | undefined;
  /** The most this process may hold at once: what is left of the budget when others have their least. `undefined` where not known. */
  readonly most: number | undefined;
  /** Permits this process holds. */
  readonly held: number;
  /** Requests of this process that wait. */
  readonly waiting: number;
  /** One line a log or an error can quote. */
  readonly text: string;
}

export interface Permits {
  acquire(options: PermitOptions): Promise<Permit>;
  /**
   * Set by the pool. Called with the number of permits others are waiting for: the pool closes that many idle
   * connections, if it has them, and releases their permits. Never one in use.
   */
  onRecall: ((count: number) => void) | undefined;
  /** Told when the server refused a connection for want of room. */
  serverFull?(): void;
  readonly status: PermitsStatus;
  /** Ends all waiting; permits that are held stay valid until released. */
  close(): Promise<void>;
}
