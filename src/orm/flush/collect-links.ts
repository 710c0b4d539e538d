// The rows of a table in between: written when entities are added to, or removed from, a many-to-many list. They are
// rows, not entities; the class of that table need not have been loaded for them.
import type { TableColumn } from '../../sql/from.ts';
import type { Scalar } from '../../types/wire.ts';
import { stateOf } from '../entity/entity-root.ts';
import type { EntityState, ToManyValue } from '../entity/entity-state.ts';
import type { ForeignKeyLink } from '../mapping/mapper.ts';
import { absentCell, type Collector } from './collect.ts';
import { type Cell, KeyRef, type RowAction, type RowChange, type ShapeCache } from './row-change.ts';

export function collectLinks(lists: Iterable<ToManyValue>, collector: Collector, shapes: ShapeCache): RowChange[] {
  const rows: RowChange[] = [];
  const seen = new Set<string>();
  const numbers = new Map<object, number>();
  const numberOf = (end: object): number => {
    const number = numbers.get(end) ?? numbers.size;
    numbers.set(end, number);
    return number;
  };
  for (const list of lists) {
    const add = (action: RowAction) => (item: object) => {
      const target = stateOf(item);
      if (target === undefined) return;
      const ends = { action, list, target };
      // Both sides may say the same of one row.
      const row = [action, list.relation.link.child, ...inOrder(ends)]
        .map((part) => (typeof part === 'string' ? part : numberOf(part)))
        .join();
      if (seen.has(row)) return;
      seen.add(row);
      rows.push(linkRow(ends, collector, shapes));
    };
    list.removed.forEach(add('delete'));
    list.added.forEach(add('insert'));
  }
  return rows;
}

interface LinkEnds {
  readonly action: RowAction;
  readonly list: ToManyValue;
  readonly target: EntityState;
}

/** Both ends, the one first whose key stands first in the table: the same from either side. */
function inOrder({ list: { relation, state }, target }: LinkEnds): readonly [EntityState, EntityState] {
  const [near, far] = [relation.link, relation.far as ForeignKeyLink];
  return (near.childIndexes[0] as number) < (far.childIndexes[0] as number) ? [state, target] : [target, state];
}

function linkRow({ action, list, target }: LinkEnds, collector: Collector, shapes: ShapeCache): RowChange {
  const { relation, state } = list;
  const far = relation.far as ForeignKeyLink;
  const middle = relation.link.child;
  const nearCells = collector.keyCells(state, relation.link.parentIndexes);
  const farCells = collector.keyCells(target, far.parentIndexes);
  // In the order of the table, as the key of an inserted row is: from whichever side it comes, a row has one key.
  const cells = [
    ...relation.link.childIndexes.map((index, at) => ({ index, cell: nearCells[at] as Cell })),
    ...far.childIndexes.map((index, at) => ({ index, cell: farCells[at] as Cell })),
  ].sort((a, b) => a.index - b.index);
  const indexes = cells.map(({ index }) => index);
  const keys = cells.map(({ cell }) => cell);
  const columns = indexes.map((index) => middle.columns[index] as TableColumn);
  const base = { mapper: middle.planMapper, source: undefined };
  if (action === 'delete') {
    const shape = shapes.intern({ table: middle.table, action, set: [], match: columns, guard: [], returning: [] });
    return { ...base, shape, values: keys, stored: middle.columns.map((_, index) => valueAt(indexes, keys, index)) };
  }
  const set: TableColumn[] = [];
  const values: Cell[] = [];
  middle.columns.forEach((column, index) => {
    const cell = indexes.includes(index) ? keys[indexes.indexOf(index)] : absentCell(middle, index);
    if (cell === undefined) return;
    set.push(column);
    values.push(cell);
  });
  const shape = shapes.intern({ table: middle.table, action, set, match: [], guard: [], returning: [] });
  return { ...base, shape, values, stored: undefined };
}

function valueAt(indexes: readonly number[], keys: readonly Cell[], index: number): Scalar | undefined {
  const cell = keys[indexes.indexOf(index)];
  return cell instanceof KeyRef ? undefined : cell;
}
