// Everything a fresh clone lacks, made on demand: dependencies, Node 24, the build, the embedded PostgreSQL. Each thing
// done is one line; when nothing is missing it is silent and takes a fraction of a second.

import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ensureBuilt } from './setup/build.mjs';
import { ensureInstalled } from './setup/install.mjs';
import { oneAtATime } from './setup/one-at-a-time.mjs';
import { root, say, SetupError, toolchainNode } from './setup/paths.mjs';

/** Makes the checkout ready. Gives the path of Node 24. */
export function bootstrap() {
  checkNode();
  return oneAtATime(async () => {
    await ensureInstalled();
    const node = toolchainNode();
    await ensureBuilt(node);
    await preparePostgres();
    return node;
  });
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new SetupError(`Node 20.19 or later is needed; this is ${process.versions.node}.`);
}

async function preparePostgres() {
  const embedded = path.join(root, 'packages', 'embedded', 'dist', 'index.js');
  const { prepare, EmbeddedError } = await import(pathToFileURL(embedded).href);
  try {
    await prepare({ onStep: (step) => say(step) });
  } catch (error) {
    // Without a binary for this machine everything that does not need the server still works.
    if (!(error instanceof EmbeddedError)) throw error;
    say(error.message);
  }
}

/** Runs a command's main function; an expected failure is one line and exit code 1. */
export function command(main) {
  main().then(
    (code) => {
      process.exitCode = code ?? 0;
    },
    (error) => {
      say(error instanceof SetupError ? error.message : String(error?.stack ?? error));
      process.exitCode = 1;
    },
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) command(() => bootstrap().then(() => 0));
