// From what a caller selects to items: the names rows have, and the names columns have in SQL.
import { UsageError } from '../../errors/index.ts';
import { expressionNode, fromOrNothing, nodeOf } from '../operand.ts';
import type { ExpressionNode, SelectItem } from '../expression-node.ts';

/** The items of `select(...)` or `returning(...)`: one object of names, or things in order. */
export function selectItems(given: readonly unknown[]): readonly SelectItem[] {
  const [first] = given;
  if (given.length === 1 && isShape(first)) {
    return Object.keys(first).map((key) => namedItem(key, (first as Record<string, unknown>)[key]));
  }
  if (given.length === 0) throw new UsageError('Nothing is selected.');
  return given.map(item);
}

function isShape(value: unknown): value is object {
  return (
    typeof value === 'object' && value !== null && nodeOf(value) === undefined && fromOrNothing(value) === undefined
  );
}

function item(value: unknown, position: number): SelectItem {
  const from = fromOrNothing(value);
  if (from !== undefined) return entityItem(from.name, value);
  const node = expressionNode(value);
  const named = node.kind === 'label';
  return { kind: 'value', key: named ? node.name : (naturalKey(node) ?? `anon_${position + 1}`), named, node };
}

function namedItem(key: string, value: unknown): SelectItem {
  if (fromOrNothing(value) !== undefined) return entityItem(key, value);
  const node = expressionNode(value);
  return { kind: 'value', key, named: true, node: node.kind === 'label' ? node.operand : node };
}

function entityItem(key: string, value: unknown): SelectItem {
  const from = fromOrNothing(value);
  if (from?.table === undefined) {
    throw new UsageError('A subquery cannot be selected whole.', { hint: 'Select its columns: sub.c.id.' });
  }
  return { kind: 'entity', key, from, columns: from.columns };
}

/** The name a row has for it if nobody gave one. */
function naturalKey(node: ExpressionNode): string | undefined {
  if (node.kind === 'column') return node.column.key;
  if (node.kind !== 'function') return undefined;
  return node.name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** The name of a single value as a column in SQL, as a query around it sees it. */
export function columnName(item: Extract<SelectItem, { kind: 'value' }>): string {
  if (!item.named && item.node.kind === 'column') return item.node.column.name;
  return item.key;
}
