// What happens in a pool, for logs, metrics and the application's own set-up of connections. Listeners look on: what
// they throw becomes a warning, because whoever checks out or gives back is not to blame.
import { type ListenOptions, Listeners, type Unsubscribe } from '../primitives/listeners.ts';
import type { Entry } from './entry.ts';

/** A connection as a listener meets it. */
export interface ObservedConnection {
  readonly connectionId: string;
  /** The server's process number for it. */
  readonly serverPid: number;
  /** Notes of the application, kept as long as the connection is open. */
  readonly info: Map<unknown, unknown>;
  /** Notes of the application, kept for the connections that follow in its place, too. */
  readonly recordInfo: Map<unknown, unknown>;
}

/** The events of a pool; each listener is called synchronously. */
export interface PoolEvents {
  /** The pool's very first connection was opened; `connect` follows. */
  readonly firstConnect: (connection: ObservedConnection) => void;
  readonly connect: (connection: ObservedConnection) => void;
  readonly checkout: (connection: ObservedConnection) => void;
  readonly checkin: (connection: ObservedConnection) => void;
  /** A transaction left open is about to be ended; `sql` says how. */
  readonly reset: (connection: ObservedConnection, sql: string) => void;
  /** It will not be used again, and why. */
  readonly invalidate: (connection: ObservedConnection, reason: string) => void;
  /** It will be closed when it comes back. */
  readonly softInvalidate: (connection: ObservedConnection) => void;
  readonly close: (connection: ObservedConnection) => void;
  /** Its holder keeps it; the pool no longer counts it. */
  readonly detach: (connection: ObservedConnection) => void;
  /** A detached connection was closed. */
  readonly closeDetached: (connection: ObservedConnection) => void;
  /** Somebody starts to wait; how many wait now. */
  readonly wait: (waiting: number) => void;
}

/** Events that are about a connection. */
export type ConnectionEvent = Exclude<keyof PoolEvents, 'wait'>;

/** The listeners of one pool. */
export class PoolTeller {
  readonly #listeners = new Listeners<PoolEvents>();
  #connected = false;

  on<Name extends keyof PoolEvents>(name: Name, listener: PoolEvents[Name], options?: ListenOptions): Unsubscribe {
    return this.#listeners.on(name, listener, options);
  }

  connected(entry: Entry): void {
    if (!this.#connected) this.tell('firstConnect', entry);
    this.#connected = true;
    this.tell('connect', entry);
  }

  tell(name: ConnectionEvent, entry: Entry, detail = ''): void {
    const heard = this.#listeners.of(name);
    if (heard === undefined) return;
    const connection: ObservedConnection = {
      connectionId: entry.id,
      serverPid: entry.connection.identity.pid,
      info: entry.info,
      recordInfo: entry.recordInfo,
    };
    for (const listener of heard) guarded(() => listener(connection, detail));
  }

  waiting(count: number): void {
    const heard = this.#listeners.of('wait');
    if (heard !== undefined) for (const listener of heard) guarded(() => listener(count));
  }
}

function guarded(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    process.emitWarning(`A pool listener threw: ${String(error)}`, { type: 'AthanorWarning', code: 'ATH_OBSERVER' });
  }
}
