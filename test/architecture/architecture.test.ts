import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { applyExceptions, readLayers, type Violation } from './layers.ts';
import { parseProject } from './project.ts';
import { readSources } from './read-sources.ts';
import { checkProject, checkStyle } from './rules/all.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '');

function show({ rule, path, line, message }: Violation): string {
  return `  ${path}${line === undefined ? '' : `:${line}`}  ${rule}: ${message}`;
}

const LAYERS = readLayers(readFileSync(join(ROOT, 'layers.json'), 'utf8'));

/** Fails with all that is left after the exceptions for files below `folder`. */
function assertNone(violations: readonly Violation[], folder: string): void {
  const exceptions = LAYERS.exceptions.filter(({ path }) => path.startsWith(folder));
  const left = applyExceptions(violations, exceptions);
  assert.equal(left.length, 0, `${left.length} violations:\n${left.map(show).join('\n')}`);
}

test('src keeps to its layers, sizes and names', () => {
  assertNone(checkProject(parseProject(readSources(ROOT, 'src')), LAYERS), 'src');
});

test('the embedded server keeps to the same sizes and names, and has no circles', () => {
  const home = 'packages/embedded/';
  const sources = [...readSources(ROOT, `${home}src`)].map(([path, text]) => [path.slice(home.length), text] as const);
  const violations = checkStyle(parseProject(new Map(sources)));
  assertNone(
    violations.map((violation) => ({ ...violation, path: home + violation.path })),
    home,
  );
});

test('every exception is for a file that a rule looks at', () => {
  const elsewhere = LAYERS.exceptions.filter(
    ({ path }) => !path.startsWith('src') && !path.startsWith('packages/embedded/'),
  );
  assert.deepEqual(elsewhere, []);
});
