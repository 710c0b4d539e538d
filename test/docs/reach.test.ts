// The harness of the scoreboard over a suite whose outcome is known: reporter and preload together, in real processes.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Outcome, Reach } from '../../scripts/scoreboard/score.ts';

const url = (path: string): string => new URL(path, import.meta.url).href;
let folder: string;
let outcomes: (Outcome & { readonly complete?: true })[];
let reached: Reach[];

function lines(file: string): unknown[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'athanor-reach-'));
  const reach = join(folder, 'reach');
  mkdirSync(reach);
  const { NODE_TEST_CONTEXT: _, ATHANOR_REACH_TEST: __, ...env } = process.env;
  const options = [
    '--test',
    `--import=${url('../reach.ts')}`,
    `--test-reporter=${url('../../scripts/scoreboard-reporter.mjs')}`,
    `--test-reporter-destination=${join(folder, 'tests.jsonl')}`,
  ];
  const suite = fileURLToPath(url('programs/marked-suite.ts'));
  const child = spawn(process.execPath, [...options, suite], {
    env: { ...env, ATHANOR_REACH: reach },
    stdio: 'ignore',
  });
  await once(child, 'exit');
  outcomes = lines(join(folder, 'tests.jsonl')) as Outcome[];
  reached = readdirSync(reach).flatMap((name) => lines(join(reach, name)) as Reach[]);
});
after(() => rmSync(folder, { recursive: true, force: true }));

test('the reporter tells every marked test with its outcome, and that the run was complete', () => {
  const found = Object.fromEntries(
    outcomes.flatMap(({ marks, outcome }) => (marks ?? []).map((mark) => [mark, outcome])),
  );
  assert.deepEqual(found, {
    F001: 'passed',
    F002: 'passed',
    F003: 'passed',
    F004: 'passed',
    F005: 'passed',
    F006: 'failed',
    F007: 'skipped',
    F008: 'passed',
    F009: 'skipped',
    F010: 'passed',
    F011: 'passed',
    F012: 'passed',
  });
  assert.equal(outcomes.at(-1)?.complete, true);
  assert.ok(outcomes.some(({ file }) => file === 'test/docs/programs/marked-suite.ts'));
});

test('each test has the databases that it, its children and its workers reached, and no other', () => {
  const found: Record<string, string[]> = {};
  for (const { test: name, database } of reached) found[name] = [...(found[name] ?? []), database].sort();
  assert.deepEqual(found, {
    'reaches one [F002]': ['one'],
    'forks [F004]': ['forked'],
    'starts a worker [F005]': ['threaded'],
    'fails [F006]': ['one'],
    'a suite [F008] > inner': ['inner'],
    'a suite with something skipped [F009] > inner': ['inner'],
    // Which of two tests side by side reached it cannot be told: it counts for the one around them.
    'side by side [F010]': ['shared'],
  });
});
