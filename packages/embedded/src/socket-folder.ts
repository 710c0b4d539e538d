// Private folders for Unix sockets. A socket's path has room for 107 bytes and longer ones are cut silently, so the
// folder is short, and it lies where the server's user can walk to it.

import { lchownSync, lstatSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { canWalkTo, isWritable, type Identity } from './reach.ts';

/** The longest path, in bytes, that every system takes for a Unix socket. */
export const SOCKET_PATH_LIMIT = 103;

const LONGEST_NAME = '/athanor-XXXXXX/.s.PGSQL.65535';

function parents(): readonly string[] {
  return [...new Set([tmpdir(), '/tmp', '/var/tmp'])];
}

function isFit(parent: string, who: Identity | undefined): boolean {
  try {
    const real = realpathSync(parent);
    return Buffer.byteLength(real + LONGEST_NAME) <= SOCKET_PATH_LIMIT && isWritable(real) && canWalkTo(real, who);
  } catch {
    return false;
  }
}

/** Makes a private folder for sockets, owned by `who`; undefined where the system has no fit place. */
export function makeSocketFolder(who: Identity | undefined): string | undefined {
  if (process.platform === 'win32') return undefined;
  const parent = parents().find((one) => isFit(one, who));
  if (parent === undefined) return undefined;
  const folder = mkdtempSync(path.join(realpathSync(parent), 'athanor-'));
  if (who !== undefined) lchownSync(folder, who.uid, who.gid);
  return folder;
}

/** The folder of an earlier server where it is still there and still private; else a new one. */
export function keepSocketFolder(earlier: string | undefined, who: Identity | undefined): string | undefined {
  const stat = earlier === undefined ? undefined : lstatSync(earlier, { throwIfNoEntry: false });
  const owner = who?.uid ?? process.getuid?.();
  const isKept = stat?.isDirectory() === true && stat.uid === owner && (stat.mode & 0o077) === 0;
  return isKept ? earlier : makeSocketFolder(who);
}

/** Removes a folder made by `makeSocketFolder`; any other path is left alone. */
export function removeSocketFolder(folder: string | undefined): void {
  if (folder !== undefined && /^athanor-\w{6}$/.test(path.basename(folder))) {
    rmSync(folder, { recursive: true, force: true });
  }
}
