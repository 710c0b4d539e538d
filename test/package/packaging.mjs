// What is published is looked at as a stranger would: publint for the manifests, attw for the types.

import path from 'node:path';
import { root } from '../../scripts/setup/paths.mjs';
import { runShown } from '../../scripts/setup/run.mjs';
import { packAll } from './tarballs.mjs';

const publint = path.join(root, 'node_modules', 'publint', 'src', 'cli.js');
const attw = path.join(root, 'node_modules', '@arethetypeswrong', 'cli', 'dist', 'index.js');

for (const tarball of await packAll()) {
  for (const command of [
    [publint, 'run', tarball, '--strict'],
    [attw, tarball, '--profile', 'esm-only', '--no-emoji'],
  ]) {
    const code = await runShown(process.execPath, command);
    if (code !== 0) process.exitCode = 1;
  }
}
