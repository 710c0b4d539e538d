// What a string looks like on a terminal: how many cells it takes, and how to keep data from being obeyed as commands.
// A table cell may hold anything a database holds, so nothing is written that has not been through `printable`.

// Control characters, direction overrides, line separators and lone surrogates; all of them change more than their own cell.
const UNPRINTABLE = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Surrogate}/gu;
const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The same text with every character that a terminal would obey, rather than show, written as an escape. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (char) => {
    const short = SHORT_ESCAPES[char];
    if (short !== undefined) return short;
    const code = char.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

const ZERO_WIDTH = /^\p{Mark}$/u;
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]$/u;

function cellsOf(char: string): number {
  if (char < '\u0300') return 1;
  if (ZERO_WIDTH.test(char)) return 0;
  return WIDE.test(char) ? 2 : 1;
}

/** How many terminal cells a printable text takes. */
export function cellWidth(text: string): number {
  let width = 0;
  for (const char of text) width += cellsOf(char);
  return width;
}

/** The text cut to at most `width` cells, the last of them an ellipsis where something was cut. */
export function cut(text: string, width: number): string {
  if (width <= 0) return '';
  if (cellWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const char of text) {
    const cells = cellsOf(char);
    if (used + cells > width - 1) break;
    kept += char;
    used += cells;
  }
  return `${kept}…`;
}

/** The text cut and padded to exactly `width` cells. */
export function fit(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const shown = cut(text, width);
  const padding = ' '.repeat(Math.max(0, width - cellWidth(shown)));
  return align === 'left' ? shown + padding : padding + shown;
}
