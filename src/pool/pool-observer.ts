// What happens in a pool, for logs, metrics and tests. Observers look on; they change nothing, and what they throw
// becomes a warning.
import type { Entry } from './entry.ts';

/** A connection as an observer meets it. */
export interface ObservedConnection {
  readonly connectionId: string;
  /** The server's process number for it. */
  readonly serverPid: number;
  /** Notes of the application, kept as long as the connection is open. */
  readonly info: Map<unknown, unknown>;
}

/** Any of these may be there; each is called synchronously. */
export interface PoolObserver {
  firstConnect?(connection: ObservedConnection): void;
  connect?(connection: ObservedConnection): void;
  checkout?(connection: ObservedConnection): void;
  checkin?(connection: ObservedConnection): void;
  /** A transaction left open is about to be ended; `sql` says how. */
  reset?(connection: ObservedConnection, sql: string): void;
  invalidate?(connection: ObservedConnection, reason: string): void;
  softInvalidate?(connection: ObservedConnection): void;
  close?(connection: ObservedConnection): void;
  /** Somebody starts to wait. */
  wait?(waiting: number): void;
}

/** The observers of one pool. */
export class Observers {
  readonly #all = new Set<PoolObserver>();
  #connected = false;

  add(observer: PoolObserver): () => void {
    this.#all.add(observer);
    return () => void this.#all.delete(observer);
  }

  connected(entry: Entry): void {
    if (!this.#connected) this.each(entry, (observer, connection) => observer.firstConnect?.(connection));
    this.#connected = true;
    this.each(entry, (observer, connection) => observer.connect?.(connection));
  }

  get none(): boolean {
    return this.#all.size === 0;
  }

  each(entry: Entry, tell: (observer: PoolObserver, connection: ObservedConnection) => void): void {
    if (this.#all.size === 0) return;
    const connection: ObservedConnection = {
      connectionId: entry.id,
      serverPid: entry.connection.identity.pid,
      info: entry.info,
    };
    for (const observer of this.#all) guarded(() => tell(observer, connection));
  }

  waiting(count: number): void {
    for (const observer of this.#all) guarded(() => observer.wait?.(count));
  }
}

function guarded(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    process.emitWarning(`A pool observer threw: ${String(error)}`, { type: 'AthanorWarning', code: 'ATH_OBSERVER' });
  }
}
