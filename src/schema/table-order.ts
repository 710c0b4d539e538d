// The order tables can be made in: each after those its foreign keys name. Where tables refer to each other in a
// circle, one of them has to come first, and its key is added later.
import { orderedComponents } from '../primitives/graph.ts';
import type { ForeignKey, Table } from './table.ts';

/** `tables` with targets before those that refer to them, as far as that goes; otherwise as given. */
export function dependencyOrder(tables: readonly Table[]): readonly Table[] {
  const position = new Map(tables.map((table, index) => [table, index]));
  const edges = tables.map(() => new Set<number>());
  tables.forEach((table, index) => {
    for (const key of table.foreignKeys) {
      const target = position.get(key.target().table);
      if (target !== undefined && target !== index) edges[target]?.add(index);
    }
  });
  return orderedComponents({ size: tables.length, edges })
    .flat()
    .map((index) => tables[index] as Table);
}

/** The foreign keys of `table` to tables that come after it in `order`: they cannot be part of its CREATE TABLE. */
export function laterKeys(table: Table, order: readonly Table[]): readonly ForeignKey[] {
  const position = order.indexOf(table);
  return table.foreignKeys.filter((key) => order.indexOf(key.target().table) > position);
}
