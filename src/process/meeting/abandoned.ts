// A tree of processes meets in a folder of its own, and nobody is left to remove it when the last of them is gone. So
// the next one that makes such a folder looks for those that nobody uses any more.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { processState } from './process-mark.ts';

/** Removes the folders of trees and single processes under `machine` in which no process is left. */
export function removeAbandoned(machine: string): void {
  for (const name of readdirSync(machine)) {
    const pid = /^(?:tree|process)-([0-9]+)-[0-9a-f]+$/.exec(name)?.[1];
    if (pid === undefined || isRunning(Number(pid)) || isInhabited(join(machine, name))) continue;
    rmSync(join(machine, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether a member of any budget in the folder may still live. */
function isInhabited(base: string): boolean {
  try {
    return readdirSync(base).some((key) =>
      readdirSync(join(base, key)).some((name) => {
        return name.startsWith('m-') && processState(readFileSync(join(base, key, name), 'utf8')) !== 'dead';
      }),
    );
  } catch {
    // Somebody else is at it; there will be a next time.
    return true;
  }
}
