// Runs a TypeScript program of this repository on Node 24 after whatever set-up is missing:
// node scripts/run.mjs <program> [arguments]

import { bootstrap, command } from './bootstrap.mjs';
import { toolchainEnvironment } from './setup/paths.mjs';
import { runShown } from './setup/run.mjs';

command(async () => {
  const [program, ...rest] = process.argv.slice(2);
  const node = await bootstrap();
  return runShown(node, [program, ...rest], { env: toolchainEnvironment(node) });
});
