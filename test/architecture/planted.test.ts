// Each rule catches what it is for: a project that is right but for one planted violation.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { applyExceptions, readLayers } from './layers.ts';
import { parseProject } from './project.ts';
import { checkProject } from './rules/all.ts';

const LAYERS = readLayers(
  JSON.stringify({
    layers: { errors: [], pool: ['errors'], orm: ['pool', 'errors'], 'dialects/*': ['errors'] },
    packages: ['allowed-package'],
    exceptions: [],
  }),
);

const SOUND: Readonly<Record<string, string>> = {
  'src/index.ts': "export { Pool } from './pool/pool.ts';\nexport { sqlite } from './dialects/sqlite/dialect.ts';\n",
  'src/errors/index.ts': "export * from './closed.ts';\n",
  'src/errors/closed.ts': 'export class Closed extends Error {}\n',
  'src/pool/pool.ts':
    "// for PostgreSQL\nimport { Closed } from '../errors/closed.ts';\nexport class Pool { fail(): never { throw new Closed('no'); } }\n",
  'src/orm/session.ts': "import type { Pool } from '../pool/pool.ts';\nexport type Session = Pool;\n",
  'src/dialects/sqlite/dialect.ts': "import { open } from './driver/open.ts';\nexport const sqlite = open;\n",
  'src/dialects/sqlite/driver/open.ts': "import 'node:fs';\nimport 'allowed-package';\nexport const open = 'sqlite';\n",
  'src/dialects/mysql/dialect.ts': "export const mysql = 'mysql';\n",
};

/** The violations of the sound project with `files` put in. */
function violationsWith(files: Readonly<Record<string, string>>): string[] {
  const project = parseProject(new Map(Object.entries({ ...SOUND, ...files })));
  return checkProject(project, LAYERS).map(({ rule, path }) => `${rule}: ${path}`);
}

function repeated(count: number, line: string): string {
  return `${line}\n`.repeat(count);
}

test('a sound project has no violations', () => {
  assert.deepEqual(violationsWith({}), []);
});

test('a project without files is refused, and so is a layer without files', () => {
  assert.deepEqual(
    checkProject(new Map(), LAYERS).map(({ rule }) => rule),
    ['files'],
  );
  const { 'src/orm/session.ts': _, ...rest } = SOUND;
  const project = parseProject(new Map(Object.entries(rest)));
  assert.deepEqual(checkProject(project, LAYERS), [
    { rule: 'files', path: 'src/orm', message: 'the layer has no files' },
  ]);
});

const PLANTED: readonly (readonly [string, string, string, string])[] = [
  ['an upward import', 'layers', 'src/pool/up.ts', "import '../orm/session.ts';"],
  [
    'an upward type import',
    'layers',
    'src/pool/up.ts',
    "import type { Session } from '../orm/session.ts';\nexport type A = Session;",
  ],
  ['an upward re-export', 'layers', 'src/pool/up.ts', "export { a } from '../orm/session.ts';"],
  ['an upward dynamic import', 'layers', 'src/pool/up.ts', "export const load = () => import('../orm/session.ts');"],
  ['an upward import type', 'layers', 'src/pool/up.ts', "export type A = import('../orm/session.ts').Session;"],
  ['an import of a root entry', 'layers', 'src/pool/up.ts', "import '../index.ts';"],
  ['an import of a dialect', 'layers', 'src/orm/up.ts', "import '../dialects/sqlite/dialect.ts';"],
  ['one dialect importing another', 'layers', 'src/dialects/mysql/up.ts', "import '../sqlite/dialect.ts';"],
  ['an import out of src', 'layers', 'src/pool/up.ts', "import '../../test/a.ts';"],
  ['an import without its ending', 'layers', 'src/pool/up.ts', "import '../errors/closed';"],
  ['a dependency', 'layers', 'src/pool/up.ts', "import 'left-pad';"],
  ['a computed import', 'computed import', 'src/pool/up.ts', 'export const load = (name: string) => import(name);'],
  ['a folder that is no layer', 'layers', 'src/extra/a.ts', 'export const a = 1;'],
  ['a file that imports itself', 'circles', 'src/pool/self.ts', "import './self.ts';"],
  ['a file too long', 'file size', 'src/pool/long.ts', repeated(501, 'export {};')],
  [
    'a function too long',
    'function size',
    'src/pool/long.ts',
    `export function long() {\n${repeated(79, '  void 0;')}}`,
  ],
  ['a method too long', 'function size', 'src/pool/long.ts', `export class A { m() {\n${repeated(80, '  void 0;')}} }`],
  [
    'an arrow function too long',
    'function size',
    'src/pool/long.ts',
    `export const f = () => {\n${repeated(79, '  void 0;')}};`,
  ],
  ['a fourth parameter', 'parameters', 'src/pool/four.ts', 'export function f(a: 1, b: 1, c: 1, d: 1) {}'],
  [
    'a class too wide',
    'class size',
    'src/pool/wide.ts',
    `export class A {\n${Array.from({ length: 26 }, (_, i) => `m${i}() {}`).join('\n')}\n}`,
  ],
  ['a folder too deep', 'depth', 'src/pool/a/b/deep.ts', 'export const a = 1;'],
  ['a folder too deep in a dialect', 'depth', 'src/dialects/sqlite/compiler/deep.ts', 'export const a = 1;'],
  ['a file of helpers', 'names', 'src/pool/pool-helpers.ts', 'export const a = 1;'],
  ['a file of types', 'names', 'src/pool/types.ts', 'export const a = 1;'],
  ['a folder of common things', 'names', 'src/pool/common/a.ts', 'export const a = 1;'],
  ['a file in camelCase', 'names', 'src/pool/poolEntry.ts', 'export const a = 1;'],
  ['a Manager', 'names', 'src/pool/a.ts', 'export class PoolManager {}'],
  ['an Impl', 'names', 'src/pool/a.ts', 'export interface PoolImpl {}'],
  ['an I prefix', 'names', 'src/pool/a.ts', 'export interface IPool {}'],
  ['an Abstract prefix', 'names', 'src/pool/a.ts', 'export class AbstractPool {}'],
  [
    'a dialect in a string',
    'dialect names',
    'src/pool/a.ts',
    "export const a = (name: string) => name === 'postgresql';",
  ],
  ['a dialect in a template', 'dialect names', 'src/pool/a.ts', 'export const a = (n: number) => `sqlite ${n}`;'],
  ['a dialect in an identifier', 'dialect names', 'src/pool/a.ts', 'export const mysqlPort = 3306;'],
  ['a dialect in a file name', 'dialect names', 'src/pool/sqlite-pool.ts', 'export const a = 1;'],
  ['a default export', 'default export', 'src/pool/a.ts', 'export default 1;'],
  ['a default class', 'default export', 'src/pool/a.ts', 'export default class A {}'],
  ['a renamed default', 'default export', 'src/pool/a.ts', 'const a = 1;\nexport { a as default };'],
  ['an export * outside an index', 'export *', 'src/pool/a.ts', "export * from '../errors/closed.ts';"],
  ['a bare Error', 'bare throw', 'src/pool/a.ts', "export function f(): never { throw new Error('no'); }"],
  ['a bare TypeError', 'bare throw', 'src/pool/a.ts', "export function f(): never { throw TypeError('no'); }"],
  ['console', 'console', 'src/pool/a.ts', "export const f = () => console.log('x');"],
  ['top-level await', 'top-level await', 'src/pool/a.ts', 'export const a = await 1;'],
  ['an enum', 'enum', 'src/pool/a.ts', 'export enum A { B }'],
  ['a namespace', 'namespace', 'src/pool/a.ts', 'export namespace A { export const b = 1; }'],
  ['a decorator', 'decorator', 'src/pool/a.ts', 'declare const d: any;\n@d\nexport class A {}'],
];

describe('one planted violation is caught, and nothing else', () => {
  for (const [what, rule, path, text] of PLANTED) {
    test(what, () => assert.deepEqual(new Set(violationsWith({ [path]: text })), new Set([`${rule}: ${path}`])));
  }

  test('a circle of types over three files', () => {
    const circle = (to: string): string => `import type { A } from './${to}.ts';\nexport type B = A;`;
    const files = { 'src/pool/a.ts': circle('b'), 'src/pool/b.ts': circle('c'), 'src/pool/c.ts': circle('a') };
    assert.equal(violationsWith(files).length, 1);
    assert.match(violationsWith(files)[0] ?? '', /^circles: src\/pool\//);
  });

  test('a crowded folder', () => {
    const files = Object.fromEntries(Array.from({ length: 26 }, (_, at) => [`src/orm/file-${at}.ts`, 'export {};']));
    assert.deepEqual(violationsWith(files), ['folder size: src/orm']);
  });
});

test('comments and blank lines have no size, and a comment may name a dialect', () => {
  const text = `${repeated(600, '// PostgreSQL')}${repeated(600, '')}/**\n${repeated(90, ' * SQLite')} */\nexport const a = 1;\n`;
  assert.deepEqual(violationsWith({ 'src/pool/a.ts': text }), []);
});

test('an exception accepts its own violation only, and goes when it is needed no more', () => {
  const violation = { rule: 'class size', path: 'src/sql/select.ts', message: 'x' };
  const exception = { rule: 'class size', path: 'src/sql/select.ts', reason: 'a fluent builder' };
  assert.deepEqual(applyExceptions([violation], [exception]), []);
  assert.deepEqual(
    applyExceptions([{ ...violation, rule: 'file size' }], [exception]).map(({ rule }) => rule),
    ['file size', 'exceptions'],
  );
});

test('layers.json is refused without a reason for an exception, or with a layer it does not know', () => {
  const base = { layers: { a: [] }, packages: [], exceptions: [] };
  const wrong = [
    { ...base, exceptions: [{ rule: 'layers', path: 'src/a.ts', reason: '' }] },
    { ...base, exceptions: [{ rule: 'layers', path: 'src/a.ts' }] },
    { ...base, layers: { a: ['b'] } },
    { layers: {} },
  ];
  for (const one of wrong) assert.throws(() => readLayers(JSON.stringify(one)), TypeError);
});
