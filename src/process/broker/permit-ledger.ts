// Who holds what. A permit is granted to a client, or in quarantine: its client is gone and the server has not yet
// confirmed that the connection it was spent on is gone too. What is neither is free; nothing else is counted.
import type { ServerIdentity } from '../../driver/driver.ts';
import type { ListedSession } from '../../driver/monitor.ts';

export interface GrantedPermit {
  readonly id: string;
  readonly client: number;
  readonly since: number;
  identity: ServerIdentity | undefined;
}

export interface QuarantinedPermit {
  readonly id: string;
  /** The number of the process it was granted to. */
  readonly owner: number;
  readonly since: number;
  /** The server's list counts only if it was asked for after this time: a connection half made is not on it yet. */
  listedFrom: number;
  identity: ServerIdentity | undefined;
  /** When the server is asked to end it; `undefined`: never, its process may still live. */
  terminateAt: number | undefined;
}

export class PermitLedger {
  readonly granted: Map<string, GrantedPermit> = new Map();
  readonly quarantined: Map<string, QuarantinedPermit> = new Map();
  /** Freed of late, when: a list that was asked for before may still show them, and their holder may still name them. */
  readonly #freed: Map<string, number> = new Map();

  get used(): number {
    return this.granted.size + this.quarantined.size;
  }

  /** Whether it came free, of late, and nobody has it since. */
  wasFreed(id: string): boolean {
    return this.#freed.has(id) && !this.#has(id);
  }

  #has(id: string): boolean {
    return this.granted.has(id) || this.quarantined.has(id);
  }

  grant(id: string, client: number, now: number): void {
    this.granted.set(id, { id, client, since: now, identity: undefined });
  }

  /** Takes a permit its holder says it has from before. False: somebody else is its holder. */
  claim({ id, client, identity }: Omit<GrantedPermit, 'since'>, now: number): boolean {
    const holder = this.granted.get(id);
    if (holder !== undefined) return holder.client === client;
    const waiting = this.quarantined.get(id);
    this.quarantined.delete(id);
    this.granted.set(id, { id, client, since: waiting?.since ?? now, identity: identity ?? waiting?.identity });
    return true;
  }

  quarantine(entry: QuarantinedPermit): void {
    this.granted.delete(entry.id);
    this.quarantined.set(entry.id, entry);
  }

  free(id: string, now: number): void {
    this.granted.delete(id);
    this.quarantined.delete(id);
    this.#freed.delete(id);
    this.#freed.set(id, now);
  }

  /** Whether a listed session's permit is in no book: it was taken under a broker that is gone. */
  isUnknown(id: string, asked: number): boolean {
    if (this.#has(id)) return false;
    const freed = this.#freed.get(id);
    return freed === undefined || freed < asked;
  }

  /** Forgets what came free before then. */
  forgetFreed(before: number): void {
    for (const [id, at] of this.#freed) {
      // In the order they came.
      if (at >= before) return;
      this.#freed.delete(id);
    }
  }

  of(client: number): GrantedPermit[] {
    return [...this.granted.values()].filter((permit) => permit.client === client);
  }

  /** The server processes known to serve us. */
  identities(): ServerIdentity[] {
    return [...this.granted.values(), ...this.quarantined.values()].flatMap(({ identity }) => identity ?? []);
  }
}

export function sameSession(one: ServerIdentity, other: ServerIdentity): boolean {
  return one.pid === other.pid && (one.start === undefined || other.start === undefined || one.start === other.start);
}

/** `athanor/<tag>/<pid>/<permit>`, as it stands in application_name. */
export function sessionName(tag: string, pid: number, permit: string): string {
  return `${sessionPrefix(tag)}${pid}/${permit}`;
}

export function sessionPrefix(tag: string): string {
  return `athanor/${tag}/`;
}

/** The process and permit a listed session belongs to, or `undefined` if its name is not ours. */
export function sessionOwner(tag: string, session: ListedSession): { pid: number; permit: string } | undefined {
  const prefix = sessionPrefix(tag);
  if (!session.applicationName.startsWith(prefix)) return undefined;
  const match = /^([0-9]+)\/([0-9a-z]+-[0-9a-z]+)$/.exec(session.applicationName.slice(prefix.length));
  return match === null ? undefined : { pid: Number(match[1]), permit: match[2] as string };
}
