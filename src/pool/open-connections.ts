// Every connection of a pool that may still exist on the server, and the ways one can end: closed politely, dropped,
// lost, or left alone because another process owns it. Its permit goes back only when it has ended.
import type { Entry } from './entry.ts';
import { type OwnerSource, sameOwner } from './owner.ts';
import type { PoolTeller } from './pool-events.ts';

export interface OpenConnectionsOptions {
  readonly owner: OwnerSource;
  readonly teller: PoolTeller;
  now(): number;
  /** The entry will not be handed out any more; its state is still what it was. */
  left(entry: Entry): void;
  /** Its permit went back. */
  freed(): void;
}

/** A driver waits at most a second for the server to close its end; what took that long was not seen. */
const SEEN_WITHIN = 950;

export class OpenConnections {
  readonly #options: OpenConnectionsOptions;
  readonly #entries = new Set<Entry>();
  readonly #endings = new Set<Promise<void>>();
  /** Notes of places whose connection has ended, for the next to be opened. */
  readonly #records: Map<unknown, unknown>[] = [];
  #detached = 0;

  constructor(options: OpenConnectionsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Connections that are open, and no longer the pool's. */
  get detached(): number {
    return this.#detached;
  }

  [Symbol.iterator](): Iterator<Entry> {
    return this.#entries[Symbol.iterator]();
  }

  add(entry: Entry): void {
    this.#entries.add(entry);
    entry.record = this.#records.pop();
  }

  /** Leaves it to its holder: it keeps its permit, and its place is free. */
  detach(entry: Entry): void {
    this.#entries.delete(entry);
    this.#keepRecord(entry);
    this.#detached += 1;
    entry.detached = true;
    this.#options.teller.tell('detach', entry);
    this.#options.freed();
  }

  /** Settles when all that were being closed are closed. */
  async ended(): Promise<void> {
    await Promise.all(this.#endings);
  }

  /** Says goodbye to the server and waits, in the background, until it has closed its end. */
  close(entry: Entry): void {
    if (entry.ended || this.#foreign(entry)) return;
    this.#options.left(entry);
    entry.state = 'closing';
    const since = this.#options.now();
    const ending = entry.connection.close().then(() => {
      this.#endings.delete(ending);
      this.#finish(entry, this.#options.now() - since < SEEN_WITHIN);
    });
    this.#endings.add(ending);
  }

  /** Drops it at once. */
  destroy(entry: Entry, reason: string): void {
    if (entry.ended || this.#foreign(entry)) return;
    const alive = entry.connection.status !== 'closed';
    entry.failed ||= entry.state === 'checking';
    this.#options.teller.tell('invalidate', entry, reason);
    entry.connection.destroy();
    this.#options.left(entry);
    this.#finish(entry, !alive);
  }

  /** It went away by itself. */
  lost(entry: Entry, error: Error | undefined): void {
    if (entry.ended) return;
    entry.failed = true;
    entry.lost = error;
    this.#options.teller.tell('invalidate', entry, 'it was lost');
    this.#options.left(entry);
    this.#finish(entry, serverKnows(error));
  }

  /** Forgets all without touching them: their sockets are another process's. */
  disown(): void {
    this.#entries.clear();
  }

  #foreign(entry: Entry): boolean {
    if (sameOwner(entry.owner, this.#options.owner())) return false;
    this.#entries.delete(entry);
    return true;
  }

  #finish(entry: Entry, clean: boolean): void {
    entry.state = 'closed';
    this.#entries.delete(entry);
    if (entry.detached) this.#detached -= 1;
    else this.#keepRecord(entry);
    this.#options.teller.tell(entry.detached ? 'closeDetached' : 'close', entry);
    entry.permit.release(clean);
    this.#options.freed();
  }

  #keepRecord(entry: Entry): void {
    if (entry.record === undefined) return;
    this.#records.push(entry.record);
    // A listener may still ask for the notes of what has ended: its own, not its successor's.
    entry.record = new Map(entry.record);
  }
}

/** Whether a lost connection is surely gone on the server too: it said so or hung up, rather than falling silent. */
function serverKnows(error: Error | undefined): boolean {
  const cause = error?.cause;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
  return code !== 'ETIMEDOUT' && code !== 'EHOSTUNREACH' && code !== 'ENETUNREACH' && code !== 'ENETDOWN';
}
