// `ATHANOR_DEBUG=pool`: what happens to connections, a line each.
import type { DebugWriter } from '../primitives/debug.ts';
import type { Pool } from '../pool/pool.ts';
import type { ObservedConnection } from '../pool/pool-events.ts';

/** Writes what happens in a pool until what comes back is called. */
export function debugPool(pool: Pool, write: DebugWriter): () => void {
  const say =
    (what: string) =>
    ({ connectionId, serverPid }: ObservedConnection, detail?: string): void => {
      write(
        `${what} ${connectionId} (server ${serverPid})${detail === undefined || detail === '' ? '' : `: ${detail}`}; ${pool.status.text}`,
      );
    };
  const leave = [
    pool.on('connect', say('opened')),
    pool.on('checkout', say('out')),
    pool.on('checkin', say('back')),
    pool.on('reset', say('reset')),
    pool.on('invalidate', say('invalid')),
    pool.on('softInvalidate', say('not wanted back')),
    pool.on('close', say('closed')),
    pool.on('detach', say('detached')),
    pool.on('closeDetached', say('closed')),
    pool.on('wait', (waiting) => write(`${waiting} waiting; ${pool.status.text}`)),
  ];
  return () => {
    for (const one of leave) one();
  };
}
