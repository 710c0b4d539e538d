import assert from 'node:assert/strict';
import { test } from 'node:test';
import { line, openScreen, type ScreenStream, type View } from '../../../packages/cli/src/index.ts';

/** As much of a terminal as a screen may rely on: it obeys what is written and remembers what stands where. */
class Terminal implements ScreenStream {
  readonly isTTY: boolean = true;
  columns = 40;
  rows = 10;
  readonly lines: string[] = [''];
  cursorHidden = false;
  written = '';
  #row = 0;
  #column = 0;
  readonly #resized: (() => void)[] = [];

  on(_event: 'resize', listener: () => void): void {
    this.#resized.push(listener);
  }
  off(_event: 'resize', listener: () => void): void {
    this.#resized.splice(this.#resized.indexOf(listener), 1);
  }
  get listeners(): number {
    return this.#resized.length;
  }
  /** Wraps what stands there, as terminals do, and tells the listeners. */
  resize(columns: number): void {
    const wrapped = this.lines.flatMap((text) => text.match(new RegExp(`.{1,${columns}}`, 'gu')) ?? ['']);
    this.lines.splice(0, this.lines.length, ...wrapped);
    this.#row = this.lines.length - 1;
    this.columns = columns;
    for (const listener of this.#resized.slice()) listener();
  }
  write(text: string): boolean {
    this.written += text;
    for (const [piece] of text.matchAll(/\p{Cc}\[[?0-9]*[A-Za-z]|[\s\S]/gu)) this.#obey(piece);
    return true;
  }
  #obey(piece: string): void {
    if (piece === '\n') {
      this.#row++;
      this.#column = 0;
      if (this.#row === this.lines.length) this.lines.push('');
    } else if (piece === '\r') this.#column = 0;
    else if (piece.startsWith('\u001b[')) this.#sequence(piece.slice(2));
    else {
      const old = this.lines[this.#row] ?? '';
      this.lines[this.#row] = old.slice(0, this.#column).padEnd(this.#column) + piece + old.slice(this.#column + 1);
      this.#column++;
      assert.ok(this.#column < this.columns, 'the last column is never filled');
    }
  }
  #sequence(sequence: string): void {
    if (sequence === '?25l') this.cursorHidden = true;
    else if (sequence === '?25h') this.cursorHidden = false;
    else if (sequence === 'K') this.lines[this.#row] = (this.lines[this.#row] ?? '').slice(0, this.#column);
    else if (sequence === 'J') {
      this.lines.length = this.#row + 1;
      this.lines[this.#row] = (this.lines[this.#row] ?? '').slice(0, this.#column);
    } else if (/^\d+A$/.test(sequence)) {
      this.#row -= Number.parseInt(sequence, 10);
      assert.ok(this.#row >= 0, 'the cursor never leaves the view upwards');
    } else assert.match(sequence, /^\?2026[hl]$/);
  }
}

const view = (...texts: string[]): View => ({ summary: texts.join(' | '), blocks: texts.map((text) => line(text)) });

test('a view is redrawn in place, and only what changed is written again', () => {
  const terminal = new Terminal();
  const screen = openScreen({ stream: terminal, env: {} });
  assert.equal(screen.live, true);
  screen.update(view('first line', 'count 1', 'last line'));
  assert.deepEqual(terminal.lines, ['first line', 'count 1', 'last line', '']);
  assert.equal(terminal.cursorHidden, true);
  terminal.written = '';
  screen.update(view('first line', 'count 2', 'last line'));
  assert.deepEqual(terminal.lines, ['first line', 'count 2', 'last line', '']);
  assert.doesNotMatch(terminal.written, /first|last/);
  assert.ok(terminal.written.startsWith('\u001b[?2026h') && terminal.written.endsWith('\u001b[?2026l'));
  screen.update(view('short'));
  assert.deepEqual(terminal.lines, ['short', '']);
  screen.close();
  screen.close();
  assert.deepEqual(terminal.lines, ['short', '']);
  assert.equal(terminal.cursorHidden, false);
  assert.equal(terminal.listeners, 0);
  screen.update(view('after the end'));
  assert.deepEqual(terminal.lines, ['short', '']);
});

test('what is printed stays above the view', () => {
  const terminal = new Terminal();
  const screen = openScreen({ stream: terminal, env: {} });
  screen.update(view('one', 'two'));
  screen.print([line('a note\u001b[2J')]);
  screen.update(view('one', 'three'));
  assert.deepEqual(terminal.lines, ['a note\\x1b[2J', 'one', 'three', '']);
  screen.close();
});

test('a narrower and a wider terminal keep one view, not two', () => {
  const terminal = new Terminal();
  const screen = openScreen({ stream: terminal, env: {} });
  screen.print([line('above')]);
  screen.update(view('a line of thirty-three characters', 'x'));
  terminal.resize(20);
  assert.deepEqual(terminal.lines, ['above', 'a line of thirty-t…', 'x', '']);
  terminal.resize(60);
  assert.deepEqual(terminal.lines, ['above', 'a line of thirty-three characters', 'x', '']);
  screen.close();
});

test('a view never takes more rows than the terminal has', () => {
  const terminal = new Terminal();
  terminal.rows = 4;
  const screen = openScreen({ stream: terminal, env: {} });
  screen.update(view('1', '2', '3', '4', '5', '6'));
  assert.deepEqual(terminal.lines, ['1', '2', '3', '']);
  screen.close();
});

test('a terminal that cannot keep up is spared the frames in between', () => {
  const terminal = new Terminal();
  const slow = Object.assign(terminal, { writableNeedDrain: true });
  const screen = openScreen({ stream: slow, env: {} });
  screen.update(view('1'));
  assert.equal(terminal.written, '');
  screen.close();
  assert.deepEqual(terminal.lines, ['1', '']);
});

test('where there is no terminal, or a dumb one, the summary comes as a plain line at intervals', () => {
  for (const [isTTY, env] of [
    [false, {}],
    [true, { TERM: 'dumb' }],
  ] as const) {
    const stream = { isTTY, text: '', write: (text: string): boolean => ((stream.text += text), true) };
    const screen = openScreen({ stream, env, plainInterval: 3_600_000 });
    assert.equal(screen.live, false);
    screen.update(view('1', '2'));
    screen.update(view('2', '3'));
    screen.print([line('a note')]);
    screen.update(view('3', '4'));
    screen.close();
    assert.equal(stream.text, '1 | 2\na note\n3 | 4\n');
  }
});

test('colours are used on a terminal and left out for NO_COLOR', () => {
  for (const [env, expected] of [
    [{}, /\p{Cc}\[1mbold/u],
    [{ NO_COLOR: '1' }, /^[^[]*(\p{Cc}\[\??\d*[A-Zhl][^[]*)*$/u],
  ] as const) {
    const terminal = new Terminal();
    const stream = {
      isTTY: true,
      columns: 40,
      rows: 10,
      text: '',
      write: (text: string): boolean => ((stream.text += text), true),
    };
    const screen = openScreen({ stream, env });
    screen.update({ summary: '', blocks: [line({ style: 'bold', text: 'bold' })] });
    screen.close();
    assert.match(stream.text, expected);
    assert.equal(terminal.written, '');
  }
});
