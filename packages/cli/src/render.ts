// Layout, pure: a view and a size in, lines out. No line is ever wider than asked, so whoever writes them knows exactly
// how many rows of the terminal they take, which is what redrawing in place stands on.
import { noPaint, type Paint } from './paint.ts';
import { spanStyle, spanText } from './span.ts';
import { tableLines } from './table-lines.ts';
import { cellWidth, cut, printable } from './text.ts';
import type { Block, Line, Progress, Sparkline, Table, View } from './view.ts';

export interface RenderOptions {
  /** The most lines there may be; tables lose rows first. No limit if not given. */
  readonly height?: number | undefined;
  /** Colours the text; none if not given. */
  readonly paint?: Paint | undefined;
}

const LONGEST_BAR = 40;
const BLOCKS = '▁▂▃▄▅▆▇█';

/** The lines of a view, each at most `width` cells wide. */
export function render(view: View, width: number, options: RenderOptions = {}): string[] {
  const paint = options.paint ?? noPaint;
  const blocks = options.height === undefined ? view.blocks : shorten(view.blocks, options.height);
  const lines = blocks.flatMap((block) => blockLines(block, width, paint));
  return options.height === undefined ? lines : lines.slice(0, options.height);
}

function blockLines(block: Block, width: number, paint: Paint): string[] {
  switch (block.kind) {
    case 'line':
      return [lineText(block, width, paint)];
    case 'progress':
      return [progressText(block, width, paint)];
    case 'sparkline':
      return [sparklineText(block, width, paint)];
    case 'table':
      return tableLines(block, width, paint);
  }
}

function lineText(line: Line, width: number, paint: Paint): string {
  let left = width;
  let text = '';
  for (const span of line.spans) {
    const shown = cut(spanText(span), left);
    text += paint(spanStyle(span), shown);
    left -= cellWidth(shown);
  }
  return text;
}

function progressText(bar: Progress, width: number, paint: Paint): string {
  const fraction = Number.isFinite(bar.fraction) ? Math.min(1, Math.max(0, bar.fraction)) : 0;
  const label = printable(bar.label);
  const note = printable(bar.note);
  const percent = `${Math.floor(fraction * 100)} %`.padStart(6);
  const around = cellWidth(label) + cellWidth(note) + percent.length + (label === '' ? 0 : 1) + (note === '' ? 0 : 2);
  const length = Math.min(LONGEST_BAR, width - around);
  if (length < 4) return cut([label, percent.trim(), note].filter((part) => part !== '').join(' '), width);
  const full = Math.round(fraction * length);
  const drawn = paint('accent', '█'.repeat(full)) + paint('dim', '░'.repeat(length - full));
  return `${label === '' ? '' : `${label} `}${drawn}${percent}${note === '' ? '' : `  ${note}`}`;
}

function sparklineText(spark: Sparkline, width: number, paint: Paint): string {
  const label = spark.label === '' ? '' : `${printable(spark.label)} `;
  const note = spark.note === '' ? '' : `  ${printable(spark.note)}`;
  const room = Math.max(0, width - cellWidth(label) - cellWidth(note));
  const values = spark.values.slice(Math.max(0, spark.values.length - Math.min(room, LONGEST_BAR)));
  const max = Math.max(spark.max ?? 0, ...values, Number.MIN_VALUE);
  const drawn = values.map((value) => BLOCKS[Math.round((Math.max(0, value) / max) * (BLOCKS.length - 1))] ?? ' ');
  return cut(label, width) + paint('accent', drawn.join('')) + cut(note, width - cellWidth(label) - drawn.length);
}

/** Takes rows from the tallest table until all fits, and says how many are not shown. */
function shorten(blocks: readonly Block[], height: number): readonly Block[] {
  const heightOf = (block: Block): number => (block.kind === 'table' ? block.rows.length + 1 : 1);
  const over = blocks.reduce((sum, block) => sum + heightOf(block), 0) - height;
  if (over <= 0) return blocks;
  let tallest: Table | undefined;
  for (const block of blocks) {
    if (block.kind === 'table' && block.rows.length > (tallest?.rows.length ?? 0)) tallest = block;
  }
  if (tallest === undefined) return blocks;
  const kept = Math.max(0, tallest.rows.length - over - 1);
  const more: Line = { kind: 'line', spans: [{ text: `… ${tallest.rows.length - kept} more`, style: 'dim' }] };
  return blocks.flatMap((block) =>
    block === tallest ? [{ ...block, rows: block.rows.slice(0, kept) }, more] : [block],
  );
}
