// Colour is decided once, in one place, by the conventions people already use (NO_COLOR, FORCE_COLOR, --no-color), and
// is applied last: layout only ever measures plain text.
import { styleText } from 'node:util';

/** The few styles athanor's screens use; a colour never carries a meaning that the text does not. */
export type Style = 'plain' | 'bold' | 'dim' | 'good' | 'bad' | 'warn' | 'accent';

/** Puts a style around a text that is already printable, cut and padded. */
export type Paint = (style: Style, text: string) => string;

const FORMATS = {
  bold: 'bold',
  dim: 'dim',
  good: 'green',
  bad: 'red',
  warn: 'yellow',
  accent: 'cyan',
} as const satisfies Record<Exclude<Style, 'plain'>, Parameters<typeof styleText>[0]>;

/** Leaves every text as it is. */
export const noPaint: Paint = (_style, text) => text;

/** Paints with the terminal's own sixteen colours. */
export const colourPaint: Paint = (style, text) =>
  style === 'plain' || text === '' ? text : styleText(FORMATS[style], text, { validateStream: false });

export interface ColourQuestion {
  readonly isTerminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `false` where the user said `--no-color`. */
  readonly color?: boolean | undefined;
}

/** Whether to use colour: the command line decides, then FORCE_COLOR, then NO_COLOR, then whether there is a terminal. */
export function wantsColour({ isTerminal, env, color }: ColourQuestion): boolean {
  if (color !== undefined) return color;
  const force = env['FORCE_COLOR'];
  if (force !== undefined) return force !== '0' && force !== 'false';
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  return isTerminal && env['TERM'] !== 'dumb';
}
