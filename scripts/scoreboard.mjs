// npm run scoreboard: runs the whole suite and writes docs/scoreboard.md and .json from it.
// --last-run     reads the last full `npm test` instead of running it again
// --check        writes nothing; fails when a proven row is lost or the files are not what the run gives
// --accept-loss  writes even though a proven row is lost

import path from 'node:path';
import { bootstrap, command } from './bootstrap.mjs';
import { root, SetupError, toolchainEnvironment } from './setup/paths.mjs';
import { runShown } from './setup/run.mjs';

const KNOWN = new Set(['--last-run', '--check', '--accept-loss']);

command(async () => {
  const options = process.argv.slice(2);
  const unknown = options.filter((option) => !KNOWN.has(option));
  if (unknown.length > 0) throw new SetupError(`unknown option: ${unknown.join(', ')}`);
  const node = await bootstrap();
  const env = toolchainEnvironment(node);
  // A failed test is no reason to write nothing: its row is absent.
  if (!options.includes('--last-run')) await runShown(node, [path.join(root, 'scripts', 'test.mjs')], { env });
  return runShown(node, [path.join(root, 'scripts', 'scoreboard', 'main.ts'), ...options], { env });
});
