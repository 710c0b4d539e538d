// The packed tarballs in an empty project: a first program by import and by require, on each Node that is promised, and
// its types with each TypeScript.

import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureMatrix, nodeOf } from '../../scripts/setup/matrix.mjs';
import { root, toolchainNode } from '../../scripts/setup/paths.mjs';
import { runCollected } from '../../scripts/setup/run.mjs';
import { npm, packAll } from './tarballs.mjs';

const consumer = fileURLToPath(new URL('./consumer/', import.meta.url));
/** What Node 20 and 22 say of any require of an ES module. */
const REQUIRE_WARNING = /ExperimentalWarning: .*(loading|require\(\))|\(Use `node --trace-warnings/;
const compilers = { 5.9: 'typescript-5.9', '6.0': 'typescript-6.0', '7.0': 'typescript' };

await ensureMatrix();
const home = mkdtempSync(path.join(tmpdir(), 'athanor smoke '));
const project = path.join(home, 'my app');
try {
  mkdirSync(project);
  writeFileSync(path.join(project, 'package.json'), '{ "name": "app", "private": true, "type": "module" }\n');
  await npm(['install', '--prefer-offline', '--ignore-scripts', ...(await packAll())], project);
  cpSync(consumer, project, { recursive: true });
  renameSync(path.join(project, 'typed.ts.txt'), path.join(project, 'typed.ts'));
  const results = [...(await runPrograms()), ...(await checkTypes())];
  for (const { name, code, output } of results) {
    process.stdout.write(`  ${code === 0 ? 'ok    ' : 'FAILED'} ${name}\n${code === 0 ? '' : `${output}\n`}`);
  }
  process.exitCode = results.every(({ code }) => code === 0) ? 0 : 1;
} finally {
  rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
}

async function runPrograms() {
  const nodes = { 20: nodeOf(20), 22: nodeOf(22), 24: toolchainNode(), 26: nodeOf(26) };
  const results = [];
  for (const [major, node] of Object.entries(nodes)) {
    for (const entry of ['esm.mjs', 'common.cjs']) {
      const name = `Node ${major}, ${entry === 'esm.mjs' ? 'import' : 'require'}, embedded PostgreSQL`;
      if (node === undefined) continue;
      const result = await runCollected(node, [entry, 'embedded:./data'], { cwd: project, timeout: 60_000 });
      // Whoever depends on athanor sees only what they print themselves, and the program prints nothing.
      const quiet = result.output.split('\n').every((line) => line === '' || REQUIRE_WARNING.test(line));
      results.push({ name, ...result, code: quiet ? result.code : result.code || 1 });
    }
  }
  return results;
}

async function checkTypes() {
  const types = path.join(root, 'node_modules', '@types');
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node'];
  const results = [];
  for (const [version, name] of Object.entries(compilers)) {
    const compiler = path.join(root, 'node_modules', name, 'bin', 'tsc');
    const parameters = [compiler, ...options, '--typeRoots', types, 'typed.ts'];
    const result = await runCollected(toolchainNode(), parameters, { cwd: project });
    results.push({ name: `TypeScript ${version}`, ...result });
  }
  return results;
}
