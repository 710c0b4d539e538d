// `ATHANOR_DEBUG=pool`: what happens to connections, a line each.
import type { DebugWriter } from '../primitives/debug.ts';
import type { Pool } from '../pool/pool.ts';
import type { ObservedConnection } from '../pool/pool-observer.ts';

/** Writes what happens in a pool until what comes back is called. */
export function debugPool(pool: Pool, write: DebugWriter): () => void {
  const say =
    (what: string) =>
    ({ connectionId, serverPid }: ObservedConnection, detail?: string): void => {
      write(
        `${what} ${connectionId} (server ${serverPid})${detail === undefined ? '' : `: ${detail}`}; ${pool.status.text}`,
      );
    };
  return pool.observe({
    connect: say('opened'),
    checkout: say('out'),
    checkin: say('back'),
    reset: say('reset'),
    invalidate: say('invalid'),
    softInvalidate: say('not wanted back'),
    close: say('closed'),
    wait: (waiting) => write(`${waiting} waiting; ${pool.status.text}`),
  });
}
