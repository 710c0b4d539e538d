// Lays out one table: as wide as its content where that fits, and where it does not, the columns that were declared to
// shrink give way first, then the widest.
import type { Paint } from './paint.ts';
import { spanStyle, spanText } from './span.ts';
import { cellWidth, cut, fit } from './text.ts';
import type { Column, Span, Table } from './view.ts';

const GAP = '  ';
/** Below this a column says nothing any more. */
const NARROWEST = 3;

/** The lines of a table: the titles, then a line a row. */
export function tableLines(table: Table, width: number, paint: Paint): string[] {
  const widths = columnWidths(table, width);
  const titles = table.columns.map((column): Span => ({ text: column.title, style: 'dim' }));
  return [titles, ...table.rows].map((cells) => rowLine({ cells, columns: table.columns, widths, width, paint }));
}

function columnWidths(table: Table, width: number): number[] {
  const widths = table.columns.map((column, index) => {
    const texts = table.rows.map((row) => cellWidth(spanText(row[index] ?? '')));
    return Math.max(cellWidth(column.title), column.minWidth ?? 0, ...texts);
  });
  let over = widths.reduce((sum, cells) => sum + cells, 0) + GAP.length * (widths.length - 1) - width;
  over = shrink(widths, over, (index) => table.columns[index]?.shrinks === true);
  shrink(widths, over, () => true);
  return widths;
}

/** Takes `over` cells from the chosen columns, always from the widest one; returns what could not be taken. */
function shrink(widths: number[], over: number, chosen: (index: number) => boolean): number {
  let left = over;
  while (left > 0) {
    let widest = -1;
    for (let index = 0; index < widths.length; index++) {
      if (chosen(index) && (widths[index] ?? 0) > (widths[widest] ?? NARROWEST)) widest = index;
    }
    if (widest < 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    left--;
  }
  return left;
}

interface RowLine {
  readonly cells: readonly Span[];
  readonly columns: readonly Column[];
  readonly widths: readonly number[];
  readonly width: number;
  readonly paint: Paint;
}

function rowLine({ cells, columns, widths, width, paint }: RowLine): string {
  let used = 0;
  let text = '';
  for (const [index, column] of columns.entries()) {
    const gap = index === 0 ? '' : GAP;
    const room = Math.min(widths[index] ?? 0, width - used - gap.length);
    if (room <= 0) break;
    const cell = cells[index] ?? '';
    const last = index === columns.length - 1 && column.align !== 'right';
    const shown = last ? cut(spanText(cell), room) : fit(spanText(cell), room, column.align);
    text += gap + paint(spanStyle(cell), shown);
    used += gap.length + room;
  }
  return text;
}
