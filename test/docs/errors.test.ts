// Every code has a page, every page a code, and what a page says of its class is so.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as errors from '../../src/errors/index.ts';
import { AthanorError } from '../../src/errors/index.ts';
import { readSources } from '../architecture/read-sources.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '');
const FOLDER = `${ROOT}/docs/errors`;
const PAGES = readdirSync(FOLDER).filter((name) => name !== 'README.md');

/** The codes that the code itself writes down, of errors and of warnings. */
function codesInSource(): string[] {
  const texts = [...readSources(ROOT, 'src').values(), ...readSources(ROOT, 'packages/embedded/src').values()];
  const found = texts.flatMap((text) => text.match(/(?<=')ATH_[A-Z_]+(?=')/g) ?? []);
  return [...new Set(found)].sort();
}

type ErrorClass = new (message: string) => AthanorError;

function classes(): ErrorClass[] {
  return Object.values(errors).filter(
    (value): value is typeof value & ErrorClass =>
      typeof value === 'function' && value.prototype instanceof AthanorError,
  );
}

function page(code: string): string {
  return readFileSync(`${FOLDER}/${code}.md`, 'utf8');
}

test('every code has a page and every page a code', () => {
  const codes = codesInSource();
  assert.ok(codes.length > 40, 'codes were found');
  assert.deepEqual(PAGES.map((name) => name.replace('.md', '')).sort(), codes);
});

test('the index lists every page', () => {
  const index = page('README');
  for (const name of PAGES) assert.ok(index.includes(`(${name})`), name);
});

test('every class has a code of its own', () => {
  const codes = classes().map((Class) => new Class('x').code);
  assert.ok(codes.length > 40, 'classes were found');
  assert.equal(new Set(codes).size, codes.length);
});

test('a page names its class, the class above it and whether it may be tried again', () => {
  for (const Class of classes()) {
    const error = new Class('x');
    const text = page(error.code);
    assert.ok(text.startsWith(`# ${error.code}\n\n\`${Class.name}\``), error.code);
    const Parent = Object.getPrototypeOf(Class) as ErrorClass;
    const parent = Parent === (AthanorError as unknown) ? undefined : new Parent('x').code;
    assert.equal(/, an \[(ATH_[A-Z_]+)\]/.exec(text)?.[1], parent, error.code);
    const said = /Retryable: (no|yes|unless)/.exec(text)?.[1];
    assert.equal(said !== 'no', error.retryable, `${error.code} is retryable`);
  }
});

test('every page says what happened, why, what to do, and shows it', () => {
  const PARTS = /## What happened\n\n\S[\s\S]*## Why\n\n\S[\s\S]*## Cure\n\n\S[\s\S]*## Example\n\n```\w+\n\S/;
  for (const name of PAGES) assert.match(page(name.replace('.md', '')), PARTS, name);
});
