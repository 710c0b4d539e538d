import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { test } from 'node:test';
import {
  colourPaint,
  line,
  progress,
  render,
  sparkline,
  styled,
  table,
  type View,
  wantsColour,
} from '../../../packages/cli/src/index.ts';
import { cellWidth } from '../../../packages/cli/src/text.ts';

const view: View = {
  summary: 'four',
  blocks: [
    line(styled('bold', 'athanor'), '  founding programme'),
    progress('iterations', 0.5, '50 of 100'),
    table(
      [
        { title: 'pid', align: 'right' },
        { title: 'does', shrinks: true },
        { title: 'rows', align: 'right' },
      ],
      [
        ['7', 'SELECT a.very.long FROM statement WHERE it = goes AND on = 1', '1'],
        ['12345', styled('good', 'idle'), '20'],
      ],
    ),
    sparkline('rate', [0, 1, 2, 4], { note: '4/s' }),
    line(),
  ],
};

test('a view is laid out in aligned columns', () => {
  assert.deepEqual(render(view, 80), [
    'athanor  founding programme',
    'iterations ████████████████████░░░░░░░░░░░░░░░░░░░░  50 %  50 of 100',
    '  pid  does                                                          rows',
    '    7  SELECT a.very.long FROM statement WHERE it = goes AND on = 1     1',
    '12345  idle                                                            20',
    'rate ▁▃▅█  4/s',
    '',
  ]);
});

test('no line is wider than the terminal, whatever its width', () => {
  for (let width = 10; width < 120; width++) {
    for (const text of render(view, width)) assert.ok(cellWidth(text) <= width, `${width}: ${text}`);
  }
});

test('where a table does not fit, the column that shrinks gives way and the others stay whole', () => {
  const [, , titles, first, second] = render(view, 40);
  assert.equal(titles, '  pid  does                         rows');
  assert.equal(first, '    7  SELECT a.very.long FROM st…     1');
  assert.equal(second, '12345  idle                           20');
});

test('where there are more lines than rows, the table loses rows and says how many', () => {
  const rows = Array.from({ length: 20 }, (_, index) => [String(index)]);
  const tall: View = { summary: '', blocks: [line('head'), table([{ title: 'n' }], rows), line('foot')] };
  assert.deepEqual(render(tall, 20, { height: 6 }), ['head', 'n', '0', '1', '… 18 more', 'foot']);
  assert.equal(render(tall, 20, { height: 23 }).length, 23);
  assert.equal(render(tall, 20, { height: 2 }).length, 2);
});

test('colour changes no character of the layout', () => {
  for (const width of [20, 40, 80]) {
    const coloured = render(view, width, { paint: colourPaint });
    assert.notDeepEqual(coloured, render(view, width));
    assert.deepEqual(coloured.map(stripVTControlCharacters), render(view, width));
  }
});

test('[B32] data with escape sequences reaches no line unescaped', () => {
  const evil = '\u001b]0;owned\u0007\u001b[31mred\nnext';
  const lines = render(
    {
      summary: evil,
      blocks: [
        line(evil),
        progress(evil, 2, evil),
        table([{ title: evil }], [[evil]]),
        sparkline(evil, [1], { note: evil }),
      ],
    },
    60,
  );
  assert.equal(lines.length, 5);
  for (const text of lines) assert.doesNotMatch(text, /\p{Cc}/u);
});

test('odd numbers are drawn as numbers, not as faults', () => {
  for (const fraction of [Number.NaN, -1, 7, Number.POSITIVE_INFINITY])
    assert.match(render({ summary: '', blocks: [progress('x', fraction)] }, 40)[0] ?? '', /(0|100) %/);
  assert.deepEqual(render({ summary: '', blocks: [sparkline('x', [])] }, 40), ['x ']);
  assert.deepEqual(render({ summary: '', blocks: [sparkline('x', [0, 0])] }, 40), ['x ▁▁']);
});

test('colour follows the command line, then FORCE_COLOR, then NO_COLOR, then the terminal', () => {
  const ask = (isTerminal: boolean, env: Record<string, string>, color?: boolean): boolean =>
    wantsColour({ isTerminal, env, color });
  assert.equal(ask(true, {}), true);
  assert.equal(ask(false, {}), false);
  assert.equal(ask(true, { TERM: 'dumb' }), false);
  assert.equal(ask(true, { NO_COLOR: '1' }), false);
  assert.equal(ask(true, { NO_COLOR: '' }), true);
  assert.equal(ask(false, { FORCE_COLOR: '1', NO_COLOR: '1' }), true);
  assert.equal(ask(true, { FORCE_COLOR: '0' }), false);
  assert.equal(ask(true, { FORCE_COLOR: '1' }, false), false);
});
