import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { renderJson, renderMarkdown } from '../../scripts/scoreboard/render.ts';
import {
  type Feature,
  lost,
  type Outcome,
  type Reach,
  score,
  unknownMarks,
  withoutDatabase,
} from '../../scripts/scoreboard/score.ts';

const FEATURES = JSON.parse(readFileSync(new URL('../../docs/features.json', import.meta.url), 'utf8')) as Feature[];

const ROWS: readonly Feature[] = [
  { number: 'F001', name: 'one | two', what: 'a database', priority: 'A' },
  { number: 'B13', name: 'pure', what: 'no database', priority: 'A', database: false },
];

function passed(name: string, ...marks: string[]): Outcome {
  return { marks, name, file: 'test/a.test.ts', outcome: 'passed' };
}

function reached(test: string, database = 'sqlite'): Reach {
  return { test, database };
}

test('features.json has every row once, in order, each with a name, a text and a priority', () => {
  const expected = [
    ['F', 239, 3],
    ['X', 36, 2],
    ['T', 58, 2],
    ['B', 32, 2],
  ] as const;
  const numbers = expected.flatMap(([letter, count, digits]) =>
    Array.from({ length: count }, (_, at) => `${letter}${String(at + 1).padStart(digits, '0')}`),
  );
  assert.deepEqual(
    FEATURES.map(({ number }) => number),
    numbers,
  );
  for (const { number, name, what, priority, database } of FEATURES) {
    assert.ok(name !== '' && what !== '' && /^[ABC]$/.test(priority), number);
    assert.ok(database === undefined || database === false, number);
  }
});

describe('a row', () => {
  test('is proven by a marked test that passed and reached a database', () => {
    const board = score(ROWS, [passed('s > t [F001]', 'F001')], [reached('s > t [F001]')]);
    assert.deepEqual(board['F001'], {
      state: 'proven',
      tests: ['test/a.test.ts: s > t [F001]'],
      databases: ['sqlite'],
    });
    assert.equal(board['B13']?.state, 'absent');
  });

  test('is absent when its tests reached no database, unless none has a part in it', () => {
    const outcomes = [passed('t', 'F001'), passed('u', 'B13')];
    const board = score(ROWS, outcomes, [reached('another test')]);
    assert.equal(board['F001']?.state, 'absent');
    assert.equal(board['B13']?.state, 'proven');
    assert.deepEqual(withoutDatabase(ROWS, outcomes, board), ['F001']);
  });

  test('is absent when one of its tests failed, and is not proven by one that was skipped', () => {
    const failed: Outcome = { ...passed('u', 'F001'), outcome: 'failed' };
    assert.equal(score(ROWS, [passed('t', 'F001'), failed], [reached('t')])['F001']?.state, 'absent');
    const skipped: Outcome = { ...passed('t', 'F001'), outcome: 'skipped' };
    assert.equal(score(ROWS, [skipped], [reached('t')])['F001']?.state, 'absent');
  });

  test('names the databases of all its tests, and a suite those of its tests', () => {
    const outcomes = [passed('suite', 'F001'), passed('other', 'F001')];
    const board = score(ROWS, outcomes, [reached('suite > a', 'postgresql'), reached('other'), reached('suites', 'x')]);
    assert.deepEqual(board['F001']?.databases, ['postgresql', 'sqlite']);
  });
});

test('a mark that no row has is found', () => {
  assert.deepEqual(unknownMarks(ROWS, [passed('t', 'F001', 'F999')]), ['F999']);
});

test('a lost row and a lost database are found, a new one is none', () => {
  const both = score(ROWS, [passed('t', 'F001')], [reached('t'), reached('t', 'postgresql')]);
  const one = score(ROWS, [passed('t', 'F001')], [reached('t')]);
  const none = score(ROWS, [], []);
  assert.deepEqual(lost(both, one), ['F001 on postgresql']);
  assert.deepEqual(lost(both, none), ['F001']);
  assert.deepEqual(lost(none, both), []);
});

test('the files show every row and escape what would break the table', () => {
  const board = score(ROWS, [passed('t', 'F001')], [reached('t')]);
  const text = renderMarkdown(ROWS, board);
  assert.match(text, /\| F001 \| A \| one \\\| two \| a database \| \*\*proven\*\* \| sqlite \|/);
  assert.match(text, /\| B13 \| A \| pure \| no database \| absent \| {2}\|/);
  assert.match(text, /\| Features \| 1 \| 1 \|/);
  assert.deepEqual(JSON.parse(renderJson(board)), board);
});
