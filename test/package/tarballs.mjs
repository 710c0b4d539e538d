// The packages as npm would publish them, packed into .cache/tarballs.

import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { npmCommand } from '../../scripts/setup/install.mjs';
import { cache, root } from '../../scripts/setup/paths.mjs';
import { runCollected } from '../../scripts/setup/run.mjs';

/** Packs athanor and the embedded server. Gives the paths of the tarballs. */
export async function packAll() {
  const folder = path.join(cache, 'tarballs');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const place of [root, path.join(root, 'packages', 'embedded')]) {
    await npm(['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], place);
  }
  return readdirSync(folder).map((name) => path.join(folder, name));
}

/** Runs npm and gives its output; a failure ends the program. */
export async function npm(parameters, cwd) {
  const [file, ...first] = npmCommand();
  const result = await runCollected(file, [...first, ...parameters], { cwd });
  if (result.code === 0) return result.output;
  process.stderr.write(`npm ${parameters.join(' ')} failed:\n${result.output}\n`);
  process.exit(1);
}
