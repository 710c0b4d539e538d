// What the server made of an INSERT: its keys, and the columns it filled in. Asked for by RETURNING, and only where
// somebody wants to know.
import { UsageError } from '../../errors/index.ts';
import type { InsertNode, SelectItem } from '../../sql/expression-node.ts';
import type { TableColumn, TableElement } from '../../sql/from.ts';
import type { StatementNode } from '../../sql/node.ts';
import { selectItems } from '../../sql/statements/select-item.ts';
import { attributes } from '../../sql/attribute.ts';
import type { InsertFact } from '../result.ts';

/** The same INSERT, returning what is asked for. Throws `ATH_USAGE` for any other statement, or where it returns something already. */
export function returningKeys(node: StatementNode, what: InsertFact): StatementNode {
  if (node.kind !== 'insert') throw new UsageError('Only an INSERT has inserted keys and returned defaults.');
  const insert = node as InsertNode;
  if (insert.returning.length > 0) {
    throw new UsageError('The INSERT returns rows of its own: read those.', { hint: 'Or leave returning() out.' });
  }
  const table = insert.table as TableElement;
  const columns = table.columns.filter((column) => (what === 'keys' ? column.primaryKey : isFilledIn(insert, column)));
  if (columns.length === 0) throw new UsageError(`The table ${table.name} has none to return.`);
  const returning = itemsFor(table, columns);
  const key = `${insert.key}>${JSON.stringify(columns.map(({ name }) => name))}`;
  return Object.freeze({ ...insert, key, returning } satisfies InsertNode);
}

function isFilledIn(insert: InsertNode, column: TableColumn): boolean {
  return (
    !insert.columns.includes(column) && (column.serverDefault ?? column.computed ?? column.autoincrement) !== undefined
  );
}

function itemsFor(table: TableElement, columns: readonly TableColumn[]): readonly SelectItem[] {
  const known = attributes(table) as Readonly<Record<string, unknown>>;
  return selectItems(columns.map(({ key }) => known[key]));
}
