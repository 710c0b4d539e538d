// A new cluster takes initdb half a second and a copy of one a tenth of that, so initdb runs once per machine, user and
// version, into the cache folder.

import { existsSync, lchownSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Binaries, moveIntoPlace, programPath } from './binaries.ts';
import { buildName, cacheFolder, removeAbandonedBuilds } from './cache-folder.ts';
import { EmbeddedError } from './embedded-error.ts';
import { run } from './program.ts';
import type { Identity } from './reach.ts';

/** The user every cluster is made with. */
export const SUPERUSER = 'postgres';

/** The folder of a fresh cluster to copy from; made at the first call. */
export async function templateCluster(binaries: Binaries, who: Identity | undefined): Promise<string> {
  const cache = cacheFolder();
  const target = path.join(cache, `template-${binaries.version}`);
  if (existsSync(target)) return target;
  removeAbandonedBuilds(cache);
  const build = buildName(target);
  rmSync(build, { recursive: true, force: true });
  await initialise(binaries, build, who);
  if (who !== undefined) giveBack(build);
  moveIntoPlace(build, target);
  return target;
}

async function initialise(binaries: Binaries, folder: string, who: Identity | undefined): Promise<void> {
  const secret = `${folder}.secret`;
  mkdirSync(folder, { mode: 0o700 });
  // Nobody ever learns this password: each copy of the template gets its own one.
  writeFileSync(secret, randomBytes(24).toString('hex'), { mode: 0o600 });
  if (who !== undefined) for (const file of [folder, secret]) lchownSync(file, who.uid, who.gid);
  try {
    const parameters = [...initParameters(binaries.major), `--pwfile=${secret}`, '-D', folder];
    const result = await run({ file: programPath(binaries, 'initdb'), parameters, who });
    if (result.code === 0) return;
    rmSync(folder, { recursive: true, force: true });
    const nameless = /user ID (\d+): user does not exist/.exec(result.output)?.[1];
    if (nameless !== undefined) {
      const text = `PostgreSQL needs a name for user ${nameless}: add a line for it to /etc/passwd, or run as a user that has one.`;
      throw new EmbeddedError('ATH_EMBEDDED_PERMISSION', text);
    }
    throw new EmbeddedError('ATH_EMBEDDED_INIT', `initdb failed (${result.code}):\n${result.output}`);
  } finally {
    rmSync(secret, { force: true });
  }
}

function initParameters(major: number): readonly string[] {
  // The built-in provider sorts alike on every machine; before 17 the C locale is the only one that does.
  const locale = major >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : [];
  const base = [`--username=${SUPERUSER}`, '--encoding=UTF8', '--locale=C', '--auth=scram-sha-256', '--no-sync'];
  return [...base, '--no-instructions', ...locale];
}

/** Takes the template from the server's user, whom others may share, back to root. */
function giveBack(folder: string): void {
  lchownSync(folder, 0, 0);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) giveBack(file);
    else lchownSync(file, 0, 0);
  }
}
