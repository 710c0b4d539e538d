// How a process finds its broker: it connects to the newest one in the folder; where that one is gone, it serves
// itself, if it is its place to do so, or waits for whoever's place it is.
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BudgetFolder } from './budget-folder.ts';
import { inheritedOwner, isOwner } from './inheritance.ts';
import { processState } from './process-mark.ts';

export interface RendezvousOptions {
  readonly folder: BudgetFolder;
  /** Number of this thread. */
  readonly thread: number;
  /** Starts a broker here; settles when it serves or another was quicker. */
  readonly serve: () => Promise<unknown>;
  /** Ends the search. */
  readonly signal: AbortSignal;
}

const FIRST_PAUSE = 5;
const LONGEST_PAUSE = 100;
const CONNECT_TIME = 1000;

/** A line to the folder's broker, or `undefined` when the signal fires first. Rejects where this process cannot serve. */
export async function findBroker(options: RendezvousOptions): Promise<Socket | undefined> {
  const { folder, signal, thread } = options;
  for (let pause = FIRST_PAUSE; !signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    const place = folder.broker();
    const found = place === undefined ? 'gone' : await reach(place.address);
    if (typeof found === 'object') return found;
    if (found === 'gone' && mayServe(folder, thread) && folder.intend()) {
      try {
        await options.serve();
        continue;
      } finally {
        folder.giveUp();
      }
    }
    // Between two looks nothing keeps the process alive but the caller's own timers.
    await sleep(pause * (0.5 + Math.random() / 2), undefined, { ref: false, signal }).catch(() => {});
  }
  return undefined;
}

/** A descendant never serves while the thread that set its environment lives and is a member: that one's is the longer life. */
export function mayServe(folder: BudgetFolder, thread: number): boolean {
  const owner = inheritedOwner();
  if (owner === undefined || isOwner(thread)) return true;
  return processState(owner.mark) !== 'alive' || !folder.hasMember(owner.mark, owner.thread);
}

/** `gone`: nobody listens there any more. `busy`: somebody may. */
function reach(address: string): Promise<Socket | 'gone' | 'busy'> {
  return new Promise((resolve) => {
    const socket = connect(address);
    const timer = setTimeout(() => {
      socket.destroy();
      resolve('busy');
    }, CONNECT_TIME);
    const failed = (error: NodeJS.ErrnoException): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(error.code === 'ECONNREFUSED' || error.code === 'ENOENT' ? 'gone' : 'busy');
    };
    socket.once('error', failed);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', failed);
      resolve(socket);
    });
  });
}
