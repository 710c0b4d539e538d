// The type cost of the public face, against the built declarations: instantiations are the same to a percent on every
// machine, seconds are not.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { COMPILERS, compile, compileEach, ROOT, writeFolder } from './compilers.ts';
import { generateModels, generateProgram, generateQueries } from './generate.ts';

const QUERIES = 1000;

/** Instantiations that a program of so many entities may cost: twice what the prototype of the types needed. */
const BUDGETS: readonly (readonly [entities: number, instantiations: number])[] = [
  [12, 250_000],
  [100, 350_000],
  [500, 1_500_000],
];

before(() => {
  assert.ok(existsSync(join(ROOT, 'dist', 'index.d.ts')), 'dist is missing: npm run build');
});

describe('a program of 1000 typed queries stays within its budget of instantiations on every compiler [X16]', () => {
  for (const [entities, budget] of BUDGETS) {
    const folder = writeFolder(`budget-${entities}`, generateProgram({ entities, queries: QUERIES }));
    for (const compiler of COMPILERS) {
      test(`${entities} entities, ${compiler.name}`, async (t) => {
        const { errors, instantiations } = await compile(compiler, folder);
        assert.deepEqual(errors.slice(0, 5), []);
        t.diagnostic(`${instantiations} of ${budget} instantiations`);
        assert.ok(instantiations <= budget, `${instantiations} instantiations, at most ${budget}`);
      });
    }
  }
});

describe('models may be looked at from any of their files, and through their declarations', () => {
  const size = { entities: 24, queries: 40 };
  for (const compiler of COMPILERS) {
    test(`each model file as the only root, ${compiler.name}`, async () => {
      const folder = writeFolder(`roots-${compiler.package}`, generateModels(size.entities));
      assert.deepEqual(await compileEach(compiler, folder, [...generateModels(size.entities).keys()]), {});
    });

    test(`declarations written by ${compiler.name} and used by queries`, async () => {
      const models = writeFolder(`models-${compiler.package}`, generateModels(size.entities));
      const users = writeFolder(`users-${compiler.package}`, generateQueries(size));
      const emit = { noEmit: false, declaration: true, emitDeclarationOnly: true, rootDir: models, outDir: users };
      assert.deepEqual((await compile(compiler, models, { options: emit })).errors.slice(0, 5), []);
      assert.ok(existsSync(join(users, 'm0.d.ts')));
      assert.deepEqual((await compile(compiler, users)).errors.slice(0, 5), []);
    });
  }
});
