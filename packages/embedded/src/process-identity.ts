// A process id alone is not an identity: ids are reused, and an unreaped process still answers a signal. On Linux the
// start time and the state tell; elsewhere the id has to do.

import { readFileSync, readlinkSync } from 'node:fs';
import { systemCode } from './embedded-error.ts';

function statFields(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The command name is in parentheses and may hold anything; the fields after it are plain.
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** The start time of a process in clock ticks since boot, or '' where the system does not tell. */
export function startTimeOf(pid: number): string {
  return statFields(pid)?.[19] ?? '';
}

/** Whether a process runs; a zombie does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (systemCode(error) !== 'EPERM') return false;
  }
  return process.platform !== 'linux' || !['Z', 'X'].includes(statFields(pid)?.[0] ?? '');
}

/** Whether the process that had this id and start time still runs. */
export function isSameProcess(pid: number, startTime: string): boolean {
  return isAlive(pid) && (startTime === '' || startTimeOf(pid) === startTime);
}

/** The working folder of a process, or undefined where the system does not tell. */
export function workingFolderOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}
