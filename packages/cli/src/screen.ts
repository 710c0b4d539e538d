// Shows a view that changes. On a terminal it redraws in place: it knows the lines it wrote last, goes up over them and
// writes only those that differ, inside a synchronized update, so nothing flickers and the scrollback stays the user's.
// Where there is no terminal, or a dumb one, the same calls print one plain line every now and then.
import { writeSync } from 'node:fs';
import { colourPaint, noPaint, type Paint, wantsColour } from './paint.ts';
import { render } from './render.ts';
import { cellWidth } from './text.ts';
import type { View } from './view.ts';

/** The part of a writable stream that a screen uses; `process.stdout` is one. */
export interface ScreenStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  readonly writableNeedDrain?: boolean | undefined;
  readonly fd?: number | undefined;
  write(text: string): boolean;
  on?(event: 'resize', listener: () => void): unknown;
  off?(event: 'resize', listener: () => void): unknown;
}

export interface ScreenOptions {
  readonly stream?: ScreenStream | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** `false` for `--no-color`; left out, the environment and the stream decide. */
  readonly color?: boolean | undefined;
  /** How often a summary is printed where there is no terminal, in milliseconds. Default 2000. */
  readonly plainInterval?: number | undefined;
}

/** Shows views until it is closed. */
export interface Screen {
  /** Whether views are redrawn in place; otherwise they come as plain lines. */
  readonly live: boolean;
  readonly paint: Paint;
  /** Shows the view now; where there is no terminal, its summary, if the last one is long enough ago. */
  update(view: View): void;
  /** Writes lines that stay, above the view. They are laid out and escaped like a view's. */
  print(view: View | View['blocks']): void;
  /** Leaves the last view standing; the next one comes below it. */
  settle(): void;
  /** Settles, and gives the terminal back as it was. Idempotent. */
  close(): void;
}

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const BEGIN_FRAME = '\u001b[?2026h';
const END_FRAME = '\u001b[?2026l';
const CLEAR_RIGHT = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** Opens a screen on standard output, or on the stream given. */
export function openScreen(options: ScreenOptions = {}): Screen {
  const stream: ScreenStream = options.stream ?? process.stdout;
  const env = options.env ?? process.env;
  const isTerminal = stream.isTTY === true;
  const paint = wantsColour({ isTerminal, env, color: options.color }) ? colourPaint : noPaint;
  if (isTerminal && env['TERM'] !== 'dumb') return new LiveScreen(stream, paint);
  return new PlainScreen(stream, paint, options.plainInterval ?? 2000);
}

const asView = (view: View | View['blocks']): View => ('blocks' in view ? view : { blocks: view, summary: '' });

class LiveScreen implements Screen {
  readonly live = true;
  readonly paint: Paint;
  readonly #stream: ScreenStream;
  /** The lines that stand on the terminal, as written. */
  #shown: readonly string[] = [];
  /** Their widths in cells: after a resize the terminal may have wrapped them. */
  #widths: readonly number[] = [];
  #view: View | undefined;
  #open = true;
  #hidden = false;
  readonly #onResize = (): void => this.#redraw();
  readonly #onExit = (): void => this.#giveBack();

  constructor(stream: ScreenStream, paint: Paint) {
    this.#stream = stream;
    this.paint = paint;
    stream.on?.('resize', this.#onResize);
    process.on('exit', this.#onExit);
  }

  update(view: View): void {
    if (!this.#open) return;
    this.#view = view;
    // A terminal that cannot keep up gets the next view instead of a queue of old ones.
    if (this.#stream.writableNeedDrain !== true) this.#draw(view, false);
  }

  print(view: View | View['blocks']): void {
    const lines = render(asView(view), this.#width(), { paint: this.paint });
    const above = lines.map((text) => `${text}${CLEAR_RIGHT}\n`).join('');
    this.#stream.write(`${BEGIN_FRAME}${this.#toTop()}${above}${CLEAR_BELOW}${END_FRAME}`);
    this.#forget();
    if (this.#open && this.#view !== undefined) this.#draw(this.#view, false);
  }

  settle(): void {
    if (!this.#open || this.#view === undefined) return;
    this.#draw(this.#view, false);
    this.#view = undefined;
    this.#forget();
  }

  close(): void {
    if (!this.#open) return;
    this.settle();
    this.#open = false;
    this.#stream.off?.('resize', this.#onResize);
    process.off('exit', this.#onExit);
    this.#giveBack();
  }

  #redraw(): void {
    if (this.#open && this.#view !== undefined) this.#draw(this.#view, true);
  }

  #draw(view: View, all: boolean): void {
    const height = Math.max(1, (this.#stream.rows ?? 24) - 1);
    const plain = render(view, this.#width(), { height });
    const lines = render(view, this.#width(), { height, paint: this.paint });
    let frame = BEGIN_FRAME + (this.#hidden ? '' : HIDE_CURSOR) + this.#toTop();
    if (all) frame += CLEAR_BELOW;
    for (const [index, text] of lines.entries()) {
      frame += !all && this.#shown[index] === text ? '\n' : `${text}${CLEAR_RIGHT}\n`;
    }
    if (lines.length < this.#shown.length) frame += CLEAR_BELOW;
    this.#stream.write(frame + END_FRAME);
    this.#hidden = true;
    this.#shown = lines;
    this.#widths = plain.map(cellWidth);
  }

  /** One column stays free: a terminal that has just filled its last one is in a state no two of them agree on. */
  #width(): number {
    return Math.max(10, (this.#stream.columns ?? 80) - 1);
  }

  #toTop(): string {
    const columns = Math.max(1, this.#stream.columns ?? 80);
    const rows = this.#widths.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    return rows === 0 ? '\r' : `\r\u001b[${rows}A`;
  }

  #forget(): void {
    this.#shown = [];
    this.#widths = [];
  }

  #giveBack(): void {
    if (!this.#hidden) return;
    this.#hidden = false;
    // At exit nothing asynchronous is written any more.
    if (this.#stream.fd === undefined) this.#stream.write(SHOW_CURSOR);
    else {
      try {
        writeSync(this.#stream.fd, SHOW_CURSOR);
      } catch {
        // The terminal is gone, and its cursor with it.
      }
    }
  }
}

class PlainScreen implements Screen {
  readonly live = false;
  readonly paint: Paint;
  readonly #stream: ScreenStream;
  readonly #interval: number;
  #last = Number.NEGATIVE_INFINITY;
  #pending: View | undefined;
  #open = true;

  constructor(stream: ScreenStream, paint: Paint, interval: number) {
    this.#stream = stream;
    this.paint = paint;
    this.#interval = interval;
  }

  update(view: View): void {
    if (!this.#open) return;
    this.#pending = view;
    const now = performance.now();
    if (now - this.#last < this.#interval) return;
    this.#last = now;
    this.#flush();
  }

  print(view: View | View['blocks']): void {
    const lines = render(asView(view), Number.POSITIVE_INFINITY, { paint: this.paint });
    this.#stream.write(lines.map((text) => `${text}\n`).join(''));
  }

  settle(): void {
    if (this.#open) this.#flush();
    this.#last = Number.NEGATIVE_INFINITY;
  }

  close(): void {
    this.settle();
    this.#open = false;
  }

  #flush(): void {
    const view = this.#pending;
    this.#pending = undefined;
    if (view !== undefined) this.print([{ kind: 'line', spans: [view.summary] }]);
  }
}
