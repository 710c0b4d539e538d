// PgBouncer for the tests that go through it: the machine's own, or Debian's packages, fetched by apt and unpacked into
// the cache without being installed. Where neither is to be had those tests are skipped, and say so.

import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cache, root, say } from './paths.mjs';
import { runCollected } from './run.mjs';

const folder = path.join(cache, 'pgbouncer');
/** With the libraries that a small system lacks. */
const PACKAGES = ['pgbouncer', 'libevent-2.1-7', 'libc-ares2'];

/** How to start PgBouncer: `{ file, libraries }`, or undefined where there is none. */
export function findPgBouncer() {
  const places = (process.env['PATH'] ?? '').split(path.delimiter).concat('/usr/sbin');
  const own = places.map((place) => path.join(place, 'pgbouncer')).find(isProgram);
  if (own !== undefined) return { file: own, libraries: undefined };
  const file = path.join(folder, 'usr', 'sbin', 'pgbouncer');
  if (!isProgram(file)) return undefined;
  const triples = path.join(folder, 'usr', 'lib');
  const found = readdirSync(triples).filter((name) => name.includes('-linux-'));
  return { file, libraries: found.map((name) => path.join(triples, name)).join(':') };
}

function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Fetches PgBouncer if it is missing and can be had. Never fails: a machine without it runs the other tests. */
export async function ensurePgBouncer() {
  if (process.platform !== 'linux' || findPgBouncer() !== undefined) return;
  if (spawnSync('apt-get', ['--version']).status !== 0) return;
  mkdirSync(cache, { recursive: true });
  const draft = mkdtempSync(path.join(cache, 'pgbouncer.new-'));
  try {
    say('fetching PgBouncer to test against');
    const problem = await fetchInto(draft);
    if (problem !== undefined) say(`PgBouncer is not to be had, its tests are skipped: ${problem}`);
    else if (!existsSync(folder)) renameSync(path.join(draft, 'root'), folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

async function fetchInto(draft) {
  const options = { cwd: draft };
  let fetched = await runCollected('apt-get', ['download', ...PACKAGES], options);
  if (fetched.code !== 0) {
    // The lists of a new machine are empty.
    await runCollected('apt-get', ['update'], options);
    fetched = await runCollected('apt-get', ['download', ...PACKAGES], options);
  }
  if (fetched.code !== 0) return lastLine(fetched.output);
  for (const name of readdirSync(draft).filter((one) => one.endsWith('.deb'))) {
    const unpacked = await runCollected('dpkg-deb', ['-x', name, 'root'], options);
    if (unpacked.code !== 0) return lastLine(unpacked.output);
  }
  return undefined;
}

function lastLine(text) {
  return text.split('\n').at(-1) ?? '';
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await ensurePgBouncer();
  const found = findPgBouncer();
  say(found === undefined ? 'no PgBouncer' : `PgBouncer: ${path.relative(root, found.file)}`);
}
