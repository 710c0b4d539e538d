// A view is plain data: what a screen should show now, said without a word of terminals. Programs build one from their
// state as often as they like; `render` lays it out and `Screen` decides what of it must be written.
import type { Style } from './paint.ts';

/** A piece of text in one style. A bare string is plain. */
export type Span = string | { readonly text: string; readonly style: Style };

/** One line of text. */
export interface Line {
  readonly kind: 'line';
  readonly spans: readonly Span[];
}

/** A bar that fills from the left. */
export interface Progress {
  readonly kind: 'progress';
  readonly label: string;
  /** From 0 to 1; anything else is brought into that range. */
  readonly fraction: number;
  /** Shown behind the bar. */
  readonly note: string;
}

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right' | undefined;
  /** In cells. Keeps a column whose content changes from making the table jump. */
  readonly minWidth?: number | undefined;
  /** Gives way first where the terminal is narrow. */
  readonly shrinks?: boolean | undefined;
}

/** A table whose columns are aligned, and cut to fit. */
export interface Table {
  readonly kind: 'table';
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Span[])[];
}

/** The recent past of one number, newest at the right. */
export interface Sparkline {
  readonly kind: 'sparkline';
  readonly label: string;
  readonly values: readonly number[];
  /** The value of a full block; the highest value shown if not given. */
  readonly max?: number | undefined;
  readonly note: string;
}

export type Block = Line | Progress | Table | Sparkline;

export interface View {
  readonly blocks: readonly Block[];
  /** The same in one line, for where there is no terminal. */
  readonly summary: string;
}

/** A span in a style. */
export function styled(style: Style, text: string): Span {
  return { text, style };
}

/** One line, made of spans; no span is an empty line. */
export function line(...spans: readonly Span[]): Line {
  return { kind: 'line', spans };
}

export function progress(label: string, fraction: number, note = ''): Progress {
  return { kind: 'progress', label, fraction, note };
}

export function table(columns: readonly Column[], rows: Table['rows']): Table {
  return { kind: 'table', columns, rows };
}

export function sparkline(
  label: string,
  values: readonly number[],
  options: { max?: number; note?: string } = {},
): Sparkline {
  return { kind: 'sparkline', label, values, max: options.max, note: options.note ?? '' };
}
