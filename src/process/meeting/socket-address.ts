// Where a broker listens. A local socket's path must fit 107 bytes (103 on some systems): a longer one is cut off in
// silence by older Nodes, and would meet a stranger. So the length is checked before, and there are three places to try.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { privateFolder, userName } from './private-folder.ts';

const LONGEST = process.platform === 'linux' ? 107 : 103;

/** An address nobody has listened at before: in the folder itself, else in the system's temporary folder, else without a path. */
export function newSocketAddress(folder: string, temporary = '/tmp'): string {
  const name = `s-${randomBytes(6).toString('hex')}`;
  if (process.platform === 'win32') return `\\\\.\\pipe\\athanor-${name}`;
  const inFolder = join(folder, name);
  if (fitsSocket(inFolder)) return inFolder;
  try {
    const elsewhere = join(privateFolder(join(temporary, `athanor-${userName()}`)), name);
    if (fitsSocket(elsewhere)) return elsewhere;
  } catch (error) {
    if (process.platform !== 'linux') throw error;
  }
  return `\0athanor-${userName()}-${name}`;
}

/** Whether a path can be listened at as it stands. */
export function fitsSocket(path: string): boolean {
  return Buffer.byteLength(path) <= LONGEST;
}
