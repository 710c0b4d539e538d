// The folder for what is made once per machine and user: copies of the binaries and the template of a new data folder.
// Programs are run from it, so a folder that somebody else could write to is refused.

import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { EmbeddedError } from './embedded-error.ts';
import { isAlive } from './process-identity.ts';

function candidates(): readonly string[] {
  const given = process.env['ATHANOR_CACHE'];
  if (given !== undefined && given !== '') return [path.resolve(given)];
  const uid = process.getuid?.();
  const fallback = path.join(tmpdir(), `athanor-cache-${uid ?? 'user'}`);
  // Root's home is closed to the user the server runs as, so root keeps its cache where others can walk.
  if (uid === 0) return ['/var/cache/athanor', fallback];
  return [path.join(userCache(), 'athanor'), fallback];
}

function userCache(): string {
  if (process.platform === 'win32') return process.env['LOCALAPPDATA'] ?? path.join(homedir(), 'AppData', 'Local');
  if (process.platform === 'darwin') return path.join(homedir(), 'Library', 'Caches');
  const xdg = process.env['XDG_CACHE_HOME'];
  return xdg !== undefined && path.isAbsolute(xdg) ? xdg : path.join(homedir(), '.cache');
}

function isOurs(folder: string): boolean {
  const stat = lstatSync(folder);
  if (!stat.isDirectory()) return false;
  return process.getuid === undefined || (stat.uid === process.getuid() && (stat.mode & 0o022) === 0);
}

function usable(folder: string): boolean {
  try {
    const created = mkdirSync(folder, { recursive: true, mode: 0o755 });
    // The umask may have closed the folder; root's cache has to stay open for walking.
    if (created !== undefined) chmodSync(folder, process.getuid?.() === 0 ? 0o755 : 0o700);
    return isOurs(folder);
  } catch {
    return false;
  }
}

/**
 * The cache folder, created if missing. `ATHANOR_CACHE` names another one.
 * @throws EmbeddedError `ATH_EMBEDDED_PERMISSION` when no candidate is a folder of our own.
 */
export function cacheFolder(): string {
  const found = candidates().find(usable);
  if (found !== undefined) return found;
  const tried = candidates().join(', ');
  const text = `No cache folder of our own could be made (tried ${tried}). Name one in ATHANOR_CACHE.`;
  throw new EmbeddedError('ATH_EMBEDDED_PERMISSION', text);
}

/** The name under which a folder is built before it is renamed into place. */
export function buildName(name: string): string {
  return `${name}.build-${process.pid}`;
}

/** Removes what builders that were killed left behind. */
export function removeAbandonedBuilds(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = /\.build-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && Number(pid) !== process.pid && !isAlive(Number(pid))) {
      rmSync(path.join(folder, name), { recursive: true, force: true });
    }
  }
}
