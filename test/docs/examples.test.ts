// The examples of the error pages compile, against what a user sees.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as athanor from '../../src/index.ts';
import { COMPILERS, compile, ROOT, writeFolder } from '../types/budget/compilers.ts';

const FOLDER = join(ROOT, 'docs', 'errors');
const PRELUDE = readFileSync(new URL('programs/prelude.ts', import.meta.url), 'utf8').replace(
  '../../../src/index.ts',
  'athanor',
);
const NAMES = [...PRELUDE.matchAll(/^export (?:declare )?(?:class|const|function) (\w+)/gm)].map(
  (match) => match[1] ?? '',
);

/** Every block of TypeScript, as the body of a function; blocks that show a mistake are fenced as JavaScript. */
function examples(): Map<string, string> {
  const files = new Map([['prelude.ts', PRELUDE]]);
  for (const page of readdirSync(FOLDER)) {
    const blocks = [...readFileSync(join(FOLDER, page), 'utf8').matchAll(/^```ts\n([\s\S]*?)^```/gm)];
    for (const [at, block] of blocks.entries())
      files.set(`${page.replace('.md', '')}-${at}.ts`, program(block[1] ?? ''));
  }
  return files;
}

function program(body: string): string {
  // A name that the example declares itself, or makes a parameter, is its own.
  const own = new Set([...body.matchAll(/(?:class|const|function) (\w+)/g)].map((match) => match[1]));
  const used = (name: string): boolean => new RegExp(`(?<![.\\w'])${name}\\b`).test(body) && !own.has(name);
  return [
    `import { ${Object.keys(athanor)
      .filter((name) => used(name) && !NAMES.includes(name))
      .join(', ')} } from 'athanor';`,
    `import { ${NAMES.filter(used).join(', ')} } from './prelude.ts';`,
    `export async function example() {\n${body}\n}`,
  ].join('\n');
}

test('every example of an error page compiles', async () => {
  const files = examples();
  assert.ok(files.size > 30, 'examples were found');
  const [compiler] = COMPILERS.slice(-1);
  assert.ok(compiler !== undefined);
  assert.deepEqual((await compile(compiler, writeFolder('error-pages', files))).errors, []);
});
