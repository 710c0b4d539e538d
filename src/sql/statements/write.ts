// What INSERT, UPDATE and DELETE share: finding columns by their TypeScript names, and turning what was given for them
// into nodes.
import { UsageError } from '../../errors/index.ts';
import { encodeValue } from '../../types/encode.ts';
import type { Scalar } from '../../types/wire.ts';
import { bindNode } from '../expression-factory.ts';
import type { Assignment, ExpressionNode, SelectItem } from '../expression-node.ts';
import type { ColumnDefault, FromElement, TableColumn, TableElement } from '../from.ts';
import { expressionNode, fromOf, nodeOf } from '../operand.ts';
import { itemsKey } from './select-factory.ts';

/** The table that a statement writes to. */
export function tableOf(target: unknown): TableElement {
  const from = fromOf(target);
  if (from.table !== from) throw new UsageError(`${from.name} is no table or mapped class: it cannot be written to.`);
  return from.table;
}

const byKey = new WeakMap<TableElement, ReadonlyMap<string, TableColumn>>();

/** The column a caller means. Throws `ATH_USAGE` for a name the table has not, and for a column the server computes. */
export function writableColumn(table: TableElement, key: string): TableColumn {
  let columns = byKey.get(table);
  if (columns === undefined) {
    columns = new Map(table.columns.map((column) => [column.key, column]));
    byKey.set(table, columns);
  }
  const column = columns.get(key);
  if (column === undefined) {
    throw new UsageError(`The table ${table.name} has no column "${key}".`, {
      hint: `It has ${[...columns.keys()].join(', ')}.`,
    });
  }
  if (column.computed !== undefined) {
    throw new UsageError(`${table.name}.${column.name} is computed by the database and cannot be written.`);
  }
  return column;
}

/** A value in the column's wire form; an error names the column. */
export function columnScalar(table: FromElement, column: TableColumn, value: unknown): Scalar {
  return encodeValue(column.type, value, { table: table.name, column: column.name });
}

/** What is written to a column: an expression as it is, a value as a parameter of the column's type. */
export function columnValue(table: FromElement, column: TableColumn, value: unknown): ExpressionNode {
  return nodeOf(value) === undefined
    ? bindNode(columnScalar(table, column, value), column.type)
    : expressionNode(value);
}

/** What a default gives now. */
export function defaultValue(given: ColumnDefault): unknown {
  switch (given.kind) {
    case 'value':
      return given.value;
    case 'function':
      return given.create();
    case 'expression':
      return undefined;
  }
}

/** Assignments from an object of values and expressions; `undefined` is skipped. */
export function assignments(table: TableElement, values: object): readonly Assignment[] {
  const given: Assignment[] = [];
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined) continue;
    const column = writableColumn(table, key);
    given.push(Object.freeze({ column, value: columnValue(table, column, value) }));
  }
  return given;
}

/** Adds what `onUpdate` says for columns that are not set. */
export function withOnUpdate(table: TableElement, set: readonly Assignment[]): readonly Assignment[] {
  const added: Assignment[] = [];
  for (const column of table.columns) {
    const { onUpdate } = column;
    if (onUpdate === undefined || set.some((one) => one.column === column)) continue;
    const value =
      onUpdate.kind === 'expression'
        ? (onUpdate.expression as ExpressionNode)
        : columnValue(table, column, defaultValue(onUpdate));
    added.push({ column, value });
  }
  return added.length === 0 ? set : [...set, ...added];
}

export function assignmentsKey(set: readonly Assignment[]): string {
  let key = `${set.length}[`;
  for (const { column, value } of set) key += `${column.name.length}:${column.name}${value.key}`;
  return key;
}

export function returningKey(returning: readonly SelectItem[]): string {
  return returning.length === 0 ? '-' : itemsKey(returning);
}
