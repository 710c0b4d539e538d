// A connection belongs to the process and thread that opened it. Two processes that write to one socket corrupt both
// their work, mostly without an error, so every checkout and every use compares the stamp taken at connect.
import { threadId } from 'node:worker_threads';
import { ForeignOwnerError } from '../errors/index.ts';

/** Who opened a connection. */
export interface Owner {
  readonly pid: number;
  readonly threadId: number;
  /** When this process's program started: tells a heap that was carried over (a start-up snapshot, a raw fork) from its origin. */
  readonly epoch: number;
}

export type OwnerSource = () => Owner;

let current: Owner = { pid: process.pid, threadId, epoch: performance.timeOrigin };

/** Who runs now. The same object as long as nothing changed. */
export const currentOwner: OwnerSource = () => {
  if (current.pid !== process.pid || current.epoch !== performance.timeOrigin) {
    current = { pid: process.pid, threadId, epoch: performance.timeOrigin };
  }
  return current;
};

export function sameOwner(one: Owner, other: Owner): boolean {
  return one === other || (one.pid === other.pid && one.threadId === other.threadId && one.epoch === other.epoch);
}

/** The error of using what another process or thread opened. */
export function foreignOwner(what: string, owner: Owner, user: Owner): ForeignOwnerError {
  return new ForeignOwnerError(
    `${what} was opened by process ${owner.pid}, thread ${owner.threadId}, and is used by process ${user.pid}, thread ${user.threadId}.`,
    {
      hint: 'Make an engine of its own in each process or thread (all share one budget); engine.dispose() drops what was inherited without touching it.',
      outcome: 'not-sent',
    },
  );
}
