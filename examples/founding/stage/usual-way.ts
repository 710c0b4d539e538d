// Act 1, the usual way: each process owns a pool, and no process knows of the others. The server has room for fewer
// connections than they ask together, so it refuses some. What athanor does about it is act 2.
import { type ChildProcess, fork } from 'node:child_process';
import type { Ending } from './usual-way-child.ts';

export interface UsualProcess {
  readonly pid: number;
  ok: number;
  refused: number;
  failed: number;
}

export interface UsualWayOptions {
  readonly url: string;
  readonly processes: number;
  /** How long the processes go on, in milliseconds. */
  readonly duration: number;
  readonly signal: AbortSignal;
  /** Called whenever a count has changed. */
  readonly onChange: (processes: readonly UsualProcess[]) => void;
}

/** Runs the processes for a while and gives their counts. */
export async function usualWay(options: UsualWayOptions): Promise<readonly UsualProcess[]> {
  const counts: UsualProcess[] = [];
  const children = Array.from({ length: options.processes }, () => {
    const child = fork(new URL('./usual-way-child.ts', import.meta.url), {
      env: { ...process.env, DATABASE_URL: options.url },
    });
    const count: UsualProcess = { pid: child.pid ?? 0, ok: 0, refused: 0, failed: 0 };
    counts.push(count);
    child.on('message', (ending: Ending) => {
      count[ending]++;
      options.onChange(counts);
    });
    return child;
  });
  await pause(options.duration, options.signal);
  await Promise.all(children.map(end));
  return counts;
}

function end(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

/** Waits, but not beyond the signal. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
  });
}
