// PostgreSQL refuses to run as root, so root starts it as another user, and that user may be unable to walk to a file
// that root sees. The mode bits of every folder on the way tell beforehand.

import { accessSync, constants, statSync, type Stats } from 'node:fs';
import path from 'node:path';

/** The user and group a server runs as. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

function grants(stat: Stats, who: Identity, bit: 1 | 2 | 4): boolean {
  if (stat.uid === who.uid) return (stat.mode & (bit << 6)) !== 0;
  if (stat.gid === who.gid) return (stat.mode & (bit << 3)) !== 0;
  return (stat.mode & bit) !== 0;
}

/** Whether `who` can walk through every folder above `target` and read `target` itself. */
export function canReach(target: string, who: Identity | undefined): boolean {
  if (who === undefined) return true;
  if (!grants(statSync(target), who, 4)) return false;
  return canWalkTo(target, who);
}

/** Whether `who` can walk through every folder above `target`, and through `target` if it is one. */
export function canWalkTo(target: string, who: Identity | undefined): boolean {
  if (who === undefined) return true;
  for (let folder = target; ; folder = path.dirname(folder)) {
    const stat = statSync(folder);
    if (stat.isDirectory() && !grants(stat, who, 1)) return false;
    if (folder === path.dirname(folder)) return true;
  }
}

/** Whether this process may create files in a folder. */
export function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
