// The assertions about types, compiled by each compiler that users have, against the built declarations. They import
// the sources, so that an editor needs no build; here each such import is led to what the build made of that file.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { before, describe, test } from 'node:test';
import { COMPILERS, compile, compileEach, ROOT, writeFolder } from './budget/compilers.ts';

const HOME = join(ROOT, 'test', 'types');
/** `'../../src/index.ts'`, however deep the file lies. */
const SOURCE_IMPORT = /(['"])(?:\.\.\/)+src\/([^'"]+)\.ts\1/g;

/** The files of assertions and models, by path below this folder. The runner and the generator are none. */
function assertionFiles(): Map<string, string> {
  const entries = readdirSync(HOME, { recursive: true, withFileTypes: true });
  const files = entries.filter(
    (entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'),
  );
  const paths = files.map((entry) =>
    join(entry.parentPath, entry.name)
      .slice(HOME.length + 1)
      .split(sep)
      .join('/'),
  );
  const chosen = paths.filter((path) => !path.startsWith('budget/')).sort();
  return new Map(chosen.map((path) => [path, readFileSync(join(HOME, path), 'utf8').replace(SOURCE_IMPORT, built)]));
}

function built(_: string, quote: string, path: string): string {
  return `${quote}${join(ROOT, 'dist', `${path}.js`)}${quote}`;
}

before(() => {
  assert.ok(existsSync(join(ROOT, 'dist', 'index.d.ts')), 'dist is missing: npm run build');
});

describe('all assertions about types hold [F217]', () => {
  const files = assertionFiles();
  for (const compiler of COMPILERS) {
    test(`with ${compiler.name}`, async () => {
      assert.notEqual(files.size, 0, 'no assertions were found');
      const folder = writeFolder(`assertions-${compiler.package}`, files);
      assert.deepEqual((await compile(compiler, folder)).errors, []);
    });
  }
});

describe('a wrong assertion is seen', () => {
  for (const compiler of COMPILERS) {
    test(`by ${compiler.name}`, async () => {
      const wrong = writeFolder(
        `wrong-${compiler.package}`,
        new Map([['wrong.ts', "export const n: number = 'text';\n"]]),
      );
      assert.match((await compile(compiler, wrong)).errors.join(), /wrong\.ts.*TS2322/);
      const alone = (await compileEach(compiler, wrong, ['wrong.ts']))['wrong.ts'] ?? [];
      assert.match(alone.join(), /wrong\.ts.*TS2322/);
    });
  }
});

describe('no file needs another to be looked at first', () => {
  const files = assertionFiles();
  const models = [...files.keys()].filter((path) => path.startsWith('models/'));
  for (const compiler of COMPILERS) {
    // The fastest looks at every file alone, the others at the models, where the circles are.
    const roots = compiler.package === 'typescript' ? [...files.keys()] : models;
    test(`with ${compiler.name}`, { skip: roots.length === 0 ? 'there are no models' : false }, async () => {
      const folder = writeFolder(`entered-${compiler.package}`, files);
      assert.deepEqual(await compileEach(compiler, folder, roots), {});
    });
  }
});
