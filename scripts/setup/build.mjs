// The build: tsc for the library and for each package, each skipped when nothing it is made from has changed. Of
// what is loaded in every process tsc makes the declarations only, and the modules are joined into a few.

import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { filesBelow, fingerprintOf, keep, keptIn } from './fingerprint.mjs';
import { ENTRIES } from './entries.mjs';
import { cache, root, say, SetupError } from './paths.mjs';
import { runCollected } from './run.mjs';

const compiler = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const bundler = path.join(root, 'scripts', 'setup', 'bundle.mjs');
const entries = path.join(root, 'scripts', 'setup', 'entries.mjs');

/** Builds what has changed. */
export async function ensureBuilt(node) {
  const packages = readdirSync(path.join(root, 'packages')).map((name) => path.join(root, 'packages', name));
  const stale = [root, ...packages].filter((folder) => isBuildable(folder) && !isFresh(folder));
  if (stale.length === 0) return;
  say(`building ${stale.map((folder) => (folder === root ? 'athanor' : path.basename(folder))).join(', ')}`);
  const results = await Promise.all(stale.map((folder) => build(node, folder)));
  const failed = results.filter((result) => result.code !== 0);
  if (failed.length > 0) throw new SetupError(`the build failed.\n${failed.map((one) => one.output).join('\n')}`);
}

function isBuildable(folder) {
  return existsSync(path.join(folder, 'tsconfig.build.json')) && existsSync(path.join(folder, 'src'));
}

function sources(folder) {
  const settings = [path.join(root, 'tsconfig.json'), path.join(folder, 'tsconfig.build.json')];
  return fingerprintOf([...settings, compiler, bundler, entries, ...filesBelow(path.join(folder, 'src'))]);
}

function stampOf(folder) {
  // Outside of dist, which is published as it is.
  return path.join(cache, 'build', folder === root ? 'athanor' : path.basename(folder));
}

function isFresh(folder) {
  return existsSync(path.join(folder, 'dist')) && keptIn(stampOf(folder)) === sources(folder);
}

/** Builds beside the old result and swaps, so that a failed build leaves the old one. */
async function build(node, folder) {
  const fingerprint = sources(folder);
  const draft = path.join(folder, `dist.new-${process.pid}`);
  const compile = [compiler, '-p', path.join(folder, 'tsconfig.build.json'), '--outDir', draft];
  const joined = Object.hasOwn(ENTRIES, path.relative(root, folder));
  const commands = joined ? [compile, [bundler, folder, draft]] : [compile];
  const results = await Promise.all(commands.map((parameters) => runCollected(node, parameters)));
  const result = results.find(({ code }) => code !== 0) ?? results[0];
  if (result.code === 0) {
    rmSync(path.join(folder, 'dist'), { recursive: true, force: true });
    renameSync(draft, path.join(folder, 'dist'));
    keep(stampOf(folder), fingerprint);
  }
  rmSync(draft, { recursive: true, force: true });
  return result;
}
