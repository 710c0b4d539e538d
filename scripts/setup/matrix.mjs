// Other versions of Node and PostgreSQL, for the checks that compare them. They are large, so nobody gets them who only
// starts or tests.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { contentOf, keep, keptIn } from './fingerprint.mjs';
import { firstLines, npmCommand } from './install.mjs';
import { root, say, SetupError } from './paths.mjs';
import { runCollected } from './run.mjs';

const folder = path.join(root, 'tools', 'matrix');
const stamp = path.join(folder, 'node_modules', '.athanor-install');

/** Installs the other versions if they are missing. */
export async function ensureMatrix() {
  const wanted = `${process.platform}-${process.arch} ${contentOf([path.join(folder, 'package-lock.json')])}`;
  if (keptIn(stamp) === wanted) return;
  say('installing other versions of Node and PostgreSQL to test against');
  const [file, ...parameters] = npmCommand();
  const options = { cwd: folder, shell: file.endsWith('.cmd') };
  const result = await runCollected(file, [...parameters, 'ci', '--ignore-scripts', '--loglevel=error'], options);
  if (result.code !== 0)
    throw new SetupError(`npm ci failed in tools/matrix (${result.code}).\n${firstLines(result.output)}`);
  keep(stamp, wanted);
}

/** The program of another Node major, or undefined where it is not packaged. */
export function nodeOf(major) {
  const file = path.join(folder, 'node_modules', `node-${major}-${process.platform}-${process.arch}`, 'bin', 'node');
  return existsSync(file) ? file : undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await ensureMatrix();
