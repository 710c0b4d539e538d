// Which process it is, for good: a process number alone is used again. On Linux the start time makes it unique; where
// that cannot be read, the number has to do.
import { readFileSync, readlinkSync } from 'node:fs';

/** Number, start, boot and namespace of a process, in one word. */
export type ProcessMark = string;

let own: ProcessMark | undefined;

/** The mark of this process. */
export function ownMark(): ProcessMark {
  own ??= [process.pid, startOf(process.pid) ?? '', bootId(), namespaceId()].join(':');
  return own;
}

export function pidOfMark(mark: ProcessMark): number {
  return Number.parseInt(mark, 10);
}

/** Whether a process still runs; `unknown` if it lives where this one cannot look. */
export function processState(mark: ProcessMark): 'alive' | 'dead' | 'unknown' {
  const [, start, boot, namespace] = mark.split(':');
  if (boot !== bootId()) return 'dead';
  if (namespace !== namespaceId()) return 'unknown';
  const pid = pidOfMark(mark);
  if (!Number.isSafeInteger(pid) || pid <= 0) return 'dead';
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return 'dead';
  }
  // No start also where it has ended and only waits for its parent to take notice.
  return process.platform !== 'linux' || startOf(pid) === start ? 'alive' : 'dead';
}

function startOf(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  // The second field is the program's name in brackets, and may hold anything.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields?.[0];
  return state === 'Z' || state === 'X' ? undefined : fields?.[19];
}

let boot: string | undefined;
function bootId(): string {
  boot ??= readText('/proc/sys/kernel/random/boot_id')?.trim().slice(0, 8) ?? '';
  return boot;
}

let namespace: string | undefined;
function namespaceId(): string {
  if (namespace === undefined) {
    try {
      namespace = readlinkSync('/proc/self/ns/pid').replace(/[^0-9]/g, '');
    } catch {
      // Not Linux, or /proc is hidden: one namespace is all there is to know.
      namespace = '';
    }
  }
  return namespace;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
