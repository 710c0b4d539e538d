// npm test: the whole suite on Node 24, after whatever set-up is missing. `npm test -- test/unit` runs a part.

import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { bootstrap, command } from './bootstrap.mjs';
import { filesBelow } from './setup/fingerprint.mjs';
import { leftovers } from './setup/leftovers.mjs';
import { oneAtATime } from './setup/one-at-a-time.mjs';
import { cache, root, say, SetupError, toolchainEnvironment } from './setup/paths.mjs';
import { ensurePgBouncer } from './setup/pgbouncer.mjs';
import { runShown } from './setup/run.mjs';

// A wait that never ends is a failure, not a hanging suite.
const TEST_TIMEOUT = 240_000;
const counts = path.join(cache, 'test-counts.json');
// What the scoreboard is made of; a part of the suite would say nothing about the rest.
const scoreboard = path.join(cache, 'scoreboard');
const reach = path.join(scoreboard, 'reach');

command(async () => {
  const given = process.argv.slice(2);
  const files = testFiles(given);
  if (files.length === 0) throw new SetupError('no test file was found.');
  const node = await bootstrap();
  await oneAtATime(ensurePgBouncer);
  rmSync(counts, { force: true });
  const whole = given.length === 0;
  if (whole) rmSync(scoreboard, { recursive: true, force: true });
  if (whole) mkdirSync(reach, { recursive: true });
  const env = { ...toolchainEnvironment(node), ...(whole ? { ATHANOR_REACH: reach } : {}) };
  const code = await runShown(node, [...options(), ...(whole ? scoreboardOptions() : []), ...files], { env });
  const left = await leftovers();
  for (const one of left) say(`left running by the tests: ${one}`);
  return left.length > 0 ? 1 : code;
});

function options() {
  const atOnce = Math.min(Math.max(availableParallelism(), 2), 8);
  return [
    '--test',
    `--test-concurrency=${atOnce}`,
    `--test-timeout=${TEST_TIMEOUT}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${new URL('./setup/count-reporter.mjs', import.meta.url).href}`,
    `--test-reporter-destination=${counts}`,
  ];
}

function scoreboardOptions() {
  return [
    '--import',
    new URL('../test/reach.ts', import.meta.url).href,
    `--test-reporter=${new URL('./scoreboard-reporter.mjs', import.meta.url).href}`,
    `--test-reporter-destination=${path.join(scoreboard, 'tests.jsonl')}`,
  ];
}

function testFiles(given) {
  const packages = readdirSync(path.join(root, 'packages')).map((name) => path.join('packages', name, 'test'));
  const places = given.length > 0 ? given : ['test', ...packages];
  return places.flatMap((place) => {
    const full = path.resolve(root, place);
    if (!existsSync(full)) {
      if (given.length > 0) throw new SetupError(`${place} does not exist.`);
      return [];
    }
    const files = statSync(full).isDirectory() ? filesBelow(full) : [full];
    return files.filter((file) => file.endsWith('.test.ts')).map((file) => path.relative(root, file));
  });
}
