// A pool in figures, and in the one line that a log or an error quotes.
import type { HolderRecord } from '../errors/index.ts';
import type { Entry, EntryState } from './entry.ts';
import type { PermitsStatus } from './permits.ts';

/** One open connection of a pool. */
export interface ConnectionRecord {
  readonly connectionId: string;
  readonly serverPid: number;
  readonly state: EntryState;
  readonly generation: number;
  /** How long it has been open, in ms. */
  readonly age: number;
}

export interface PoolStatus {
  /** Most connections the pool may hold, as far as this process knows. */
  readonly max: number;
  /** Connections that are open: idle, in use or being closed. */
  readonly open: number;
  readonly idle: number;
  /** Being opened, or being asked for a sign of life. */
  readonly connecting: number;
  readonly inUse: number;
  readonly closing: number;
  /** Open connections that their holders keep, and the pool does not count. */
  readonly detached: number;
  readonly waiting: number;
  readonly generation: number;
  readonly closed: boolean;
  readonly connections: readonly ConnectionRecord[];
  readonly holders: readonly HolderRecord[];
  readonly permits: PermitsStatus;
  /** All of it in one line. */
  readonly text: string;
}

export interface PoolCounts {
  readonly entries: Iterable<Entry>;
  readonly opening: number;
  readonly detached: number;
  readonly waiting: number;
  readonly generation: number;
  readonly closed: boolean;
  readonly max: number;
  readonly permits: PermitsStatus;
  readonly now: number;
}

export function poolStatus(counts: PoolCounts): PoolStatus {
  const { waiting, detached, generation, closed, permits, now } = counts;
  const max = Math.min(counts.max, permits.most ?? Number.POSITIVE_INFINITY);
  const count = { idle: 0, connecting: counts.opening, inUse: 0, closing: 0 };
  const holders: HolderRecord[] = [];
  const connections: ConnectionRecord[] = [];
  let open = 0;
  for (const entry of counts.entries) {
    open += 1;
    connections.push(recordOf(entry, now));
    if (entry.state === 'idle') count.idle += 1;
    else if (entry.state === 'checking') count.connecting += 1;
    else if (entry.state === 'closing') count.closing += 1;
    else count.inUse += 1;
    if (entry.state === 'in use') holders.push(entry.describe(now));
  }
  const parts = [
    `${open} of ${Number.isFinite(max) ? max : 'any number'} open`,
    `${count.inUse} in use`,
    `${count.idle} idle`,
    `${count.connecting} connecting`,
    `${count.closing} closing`,
    `${waiting} waiting`,
  ];
  const text = `${closed ? 'closed, ' : ''}${parts.join(', ')}; ${permits.text}`;
  return Object.freeze({
    max,
    open,
    ...count,
    detached,
    waiting,
    generation,
    closed,
    connections,
    holders,
    permits,
    text,
  });
}

function recordOf({ id, connection, state, generation, openedAt }: Entry, now: number): ConnectionRecord {
  return { connectionId: id, serverPid: connection.identity.pid, state, generation, age: Math.round(now - openedAt) };
}
