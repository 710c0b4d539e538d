// The dependencies, from the lock file. A stamp inside node_modules says which lock file they came from.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { contentOf, keep, keptIn } from './fingerprint.mjs';
import { root, say, SetupError } from './paths.mjs';
import { runCollected } from './run.mjs';

const stamp = path.join(root, 'node_modules', '.athanor-install');

/** Installs what is missing or changed. */
export async function ensureInstalled() {
  const wanted = `${process.platform}-${process.arch} ${contentOf([path.join(root, 'package-lock.json')])}`;
  if (keptIn(stamp) === wanted) return;
  say(existsSync(stamp) ? 'the lock file changed: installing dependencies' : 'installing dependencies');
  const [file, ...parameters] = npmCommand();
  const options = { shell: file.endsWith('.cmd') };
  const result = await runCollected(file, [...parameters, 'ci', '--ignore-scripts', '--loglevel=error'], options);
  if (result.code !== 0) throw new SetupError(`npm ci failed (${result.code}).\n${firstLines(result.output)}`);
  keep(stamp, wanted);
}

/** How npm is called: the one that runs us, if one does. */
export function npmCommand() {
  const own = process.env['npm_execpath'];
  if (own !== undefined && /npm-cli\.c?js$/.test(own)) return [process.execPath, own];
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm'];
}

/** npm follows its reason with a page of usage. */
export function firstLines(text) {
  return text.split('\n').slice(0, 12).join('\n');
}
