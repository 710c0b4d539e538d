// Attributes: columns as `.c` shows them.
import type { Attr } from './expr.ts';
import { Expression } from './expression.ts';
import { columnNode } from './expression-factory.ts';
import type { FromColumn, FromElement } from './from.ts';

/** The attribute of one column of a table, alias or subquery. */
export function attribute<T = unknown, K extends string = string, N extends string = string>(
  from: FromElement,
  column: FromColumn,
): Attr<T, K, N> {
  return new Expression(columnNode(from, column)) as unknown as Attr<T, K, N>;
}

const made = new WeakMap<FromElement, Readonly<Record<string, Attr<unknown, string, string>>>>();

/** All of them by their TypeScript name; the same object each time. Names like `__proto__` are names like others. */
export function attributes(from: FromElement): Readonly<Record<string, Attr<unknown, string, string>>> {
  let all = made.get(from);
  if (all === undefined) {
    const record: Record<string, Attr<unknown, string, string>> = Object.create(null);
    for (const column of from.columns) record[column.key] = attribute(from, column);
    all = Object.freeze(record);
    made.set(from, all);
  }
  return all;
}
