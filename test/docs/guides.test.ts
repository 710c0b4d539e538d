// Every block of TypeScript in a guide compiles against what a user sees, and runs to its end. Blocks that need a server
// or a place of the reader's own are fenced as JavaScript.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { COMPILERS, compile, ROOT, writeFolder } from '../types/budget/compilers.ts';

const FOLDER = join(ROOT, 'docs', 'guides');
const INDEX = new URL('../../src/index.ts', import.meta.url).href;

function blocks(): Map<string, string> {
  const files = new Map<string, string>();
  for (const page of readdirSync(FOLDER)) {
    const found = readFileSync(join(FOLDER, page), 'utf8').matchAll(/^```ts\n([\s\S]*?)^```/gm);
    for (const [at, block] of [...found].entries()) files.set(`${page.replace('.md', '')}-${at}.ts`, block[1] ?? '');
  }
  return files;
}

test('every example of a guide compiles', async () => {
  const [compiler] = COMPILERS.slice(-1);
  assert.ok(compiler !== undefined);
  assert.deepEqual((await compile(compiler, writeFolder('guides', blocks()))).errors, []);
});

test('every example of a guide runs to its end', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'athanor-guides-'));
  try {
    for (const [name, block] of blocks()) {
      const file = join(folder, name.replace(/\.ts$/, '.mts'));
      writeFileSync(file, block.replaceAll("from 'athanor'", `from '${INDEX}'`));
      const child = spawn(process.execPath, [file], {
        cwd: folder,
        stdio: ['ignore', 'ignore', 'pipe'],
        timeout: 30_000,
      });
      let said = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      const [code] = (await once(child, 'close')) as [number | null];
      assert.equal(code, 0, `${name}: ${said}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
