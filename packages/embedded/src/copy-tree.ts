// A folder copy that sets modes and owner as it goes. Node's own recursive copy does neither, and the copy of a new
// data folder is the larger part of a first start.

import {
  chmodSync,
  constants,
  copyFileSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import path from 'node:path';
import type { Identity } from './reach.ts';

/** Who may see a copied tree, and who owns it. */
export interface CopyOptions {
  /** `shared`: everybody may read it, whatever the umask; `private`: its owner alone. */
  readonly access: 'shared' | 'private';
  readonly owner?: Identity | undefined;
}

/** Copies a folder to a place that must not exist yet. */
export function copyTree(from: string, to: string, options: CopyOptions): void {
  mkdirSync(to);
  finish(to, options.access === 'shared' ? 0o755 : 0o700, options.owner);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = path.join(from, entry.name);
    const target = path.join(to, entry.name);
    if (entry.isDirectory()) copyTree(source, target, options);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else copyOne(source, target, options);
  }
}

function copyOne(source: string, target: string, options: CopyOptions): void {
  copyFileSync(source, target, constants.COPYFILE_FICLONE);
  const executable = options.access === 'shared' && (statSync(source).mode & 0o100) !== 0;
  finish(target, executable ? 0o755 : options.access === 'shared' ? 0o644 : 0o600, options.owner);
}

function finish(target: string, mode: number, owner: Identity | undefined): void {
  chmodSync(target, mode);
  if (owner !== undefined) lchownSync(target, owner.uid, owner.gid);
}
