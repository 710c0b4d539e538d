// `ATHANOR_DEBUG=pool`, or `echoPool`: what happens to connections, a line each.
import { debugWriter } from '../primitives/debug.ts';
import type { Pool } from '../pool/pool.ts';
import type { ObservedConnection } from '../pool/pool-events.ts';
import type { Logger } from './events/logger.ts';

export interface PoolDebugOptions {
  readonly echoPool?: boolean | undefined;
  readonly logger?: Logger | undefined;
  readonly logName?: string | undefined;
}

type Write = (line: string, fields?: Readonly<Record<string, unknown>>) => void;

/** Writes what happens in a pool, where the options or the environment ask for it, until what comes back is called. */
export function debugPool(pool: Pool, options: PoolDebugOptions): () => void {
  const write = writerFor(options);
  if (write === undefined) return () => {};
  const say =
    (what: string) =>
    ({ connectionId, serverPid }: ObservedConnection, detail: string = ''): void => {
      write(`${what} ${connectionId} (server ${serverPid})${detail === '' ? '' : `: ${detail}`}; ${pool.status.text}`, {
        connectionId,
        serverPid,
        what,
        ...(detail === '' ? {} : { detail }),
      });
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
    pool.on('wait', (waiting) => write(`${waiting} waiting; ${pool.status.text}`, { waiting })),
  ];
  return () => {
    for (const one of leave) one();
  };
}

function writerFor({ echoPool, logger, logName }: PoolDebugOptions): Write | undefined {
  const named = logName === undefined ? '' : `[${logName}] `;
  if (echoPool !== true) {
    const debug = debugWriter('pool');
    return debug === undefined ? undefined : (line) => debug(`${named}${line}`);
  }
  if (logger !== undefined) return (line, fields) => logger.debug(`${named}${line}`, fields);
  return (line) => void process.stderr.write(`${named}${line}\n`);
}
