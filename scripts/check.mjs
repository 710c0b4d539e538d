// npm run check: what is checked beside the tests, each by name. With names after it only those.
// `--after-tests` counts the last test run in and ends with the line the continuous integration reads.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { bootstrap, command } from './bootstrap.mjs';
import { cache, root, say, toolchainEnvironment } from './setup/paths.mjs';
import { runCollected } from './setup/run.mjs';

const bin = (...parts) => path.join(root, 'node_modules', ...parts);

/** The commands of each check, run one after another. */
const checks = {
  lint: [[bin('oxlint', 'bin', 'oxlint'), '--type-aware', '--deny-warnings']],
  format: [[bin('@biomejs', 'biome', 'bin', 'biome'), 'format', '.']],
  types: [[bin('typescript', 'bin', 'tsc'), '-p', 'tsconfig.json', '--noEmit']],
  package: [[path.join(root, 'test', 'package', 'packaging.mjs')]],
  smoke: [[path.join(root, 'test', 'package', 'smoke.mjs')]],
  scoreboard: [[path.join(root, 'scripts', 'scoreboard.mjs'), '--check', '--last-run']],
};

command(async () => {
  const given = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
  const names = given.length > 0 ? given : Object.keys(checks);
  const unknown = names.filter((name) => checks[name] === undefined);
  if (unknown.length > 0) throw new TypeError(`unknown check: ${unknown.join(', ')}`);
  let failed = 0;
  let passed = 0;
  const node = await bootstrap().catch((error) => {
    say(error.message);
    failed += 1;
  });
  for (const name of node === undefined ? [] : names.filter((one) => checks[one].length > 0)) {
    if (await runCheck(name, node)) passed += 1;
    else failed += 1;
  }
  if (process.argv.includes('--after-tests')) {
    const tests = testCounts();
    passed += tests.passed;
    failed += tests.failed;
    process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
  }
  return failed > 0 ? 1 : 0;
});

async function runCheck(name, node) {
  const start = performance.now();
  const outputs = [];
  let good = true;
  for (const parameters of checks[name]) {
    const result = await runCollected(node, parameters, { env: toolchainEnvironment(node) });
    if (result.output !== '') outputs.push(result.output);
    good &&= result.code === 0;
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  process.stdout.write(`${good ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)\n`);
  if (!good || name === 'smoke') process.stdout.write(`${outputs.join('\n')}\n`);
  return good;
}

/** A run that did not come to its end counts as one failure. */
function testCounts() {
  const ended = process.env['ATHANOR_TEST_EXIT'] ?? '0';
  try {
    const counts = JSON.parse(readFileSync(path.join(cache, 'test-counts.json'), 'utf8'));
    const unexplained = counts.failed === 0 && ended !== '0' ? 1 : 0;
    return { passed: counts.passed, failed: counts.failed + unexplained };
  } catch {
    return { passed: 0, failed: 1 };
  }
}
