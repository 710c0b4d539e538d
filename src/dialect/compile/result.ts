// What comes back: the list of selected columns as text, and the shape of a row for those who read it.
import type { SelectItem } from '../../sql/expression-node.ts';
import type { EntityItem, ResultShape, ValueItem } from '../../sql/result-shape.ts';
import { columnName } from '../../sql/statements/select-item.ts';
import type { WireKind } from '../../types/wire.ts';
import type { CompileContext } from './context.ts';
import { expression } from './expression.ts';
import { identifier } from './identifier.ts';

/** The items of SELECT or RETURNING, which lie under `name` in their statement. */
export function itemsText(context: CompileContext, items: readonly SelectItem[], name: string): string {
  return items
    .map((item, index) => {
      if (item.kind === 'entity') return entityText(context, item);
      const text = expression(context, item.node, name, index, 'node');
      const natural = item.node.kind === 'column' ? item.node.column.name : undefined;
      const wanted = columnName(item);
      return wanted === natural || !(item.named || context.named) ? text : `${text} AS ${identifier(context, wanted)}`;
    })
    .join(', ');
}

function entityText(context: CompileContext, { from, columns }: Extract<SelectItem, { kind: 'entity' }>): string {
  const owner = identifier(context, from.name);
  return columns.map((column) => `${owner}.${identifier(context, column.name)}`).join(', ');
}

/** Where in a row each item is. */
export function resultShape(key: string, items: readonly SelectItem[]): ResultShape {
  let index = 0;
  const shaped = items.map((item): ValueItem | EntityItem => {
    const start = index;
    if (item.kind === 'value') {
      index += 1;
      return Object.freeze({ kind: 'value', key: item.key, index: start, type: item.node.type });
    }
    index += item.columns.length;
    return Object.freeze({ kind: 'entity', key: item.key, start, from: item.from, columns: item.columns });
  });
  return Object.freeze({ key, items: Object.freeze(shaped) });
}

/** The form each column must come in. */
export function resultWires(items: readonly SelectItem[]): readonly (WireKind | undefined)[] {
  return items.flatMap((item) =>
    item.kind === 'value' ? [item.node.type?.wire] : item.columns.map((column) => column.type.wire),
  );
}
