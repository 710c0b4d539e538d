// Many rows of one shape, as a flush writes them. For one row the text is plain; for more they travel as arrays, or,
// where the database cannot make rows of those, as parameter sets of the plain text.
import { CompileError } from '../../errors/index.ts';
import type { BulkDeleteNode, BulkInsertNode, BulkNode, BulkUpdateNode } from '../../sql/bulk.ts';
import type { ExpressionNode } from '../../sql/expression-node.ts';
import type { TableColumn } from '../../sql/from.ts';
import { OPERATORS } from '../../sql/operators.ts';
import type { Scalar } from '../../types/wire.ts';
import { at, type CompileContext, parameter } from './context.ts';
import { expression } from './expression.ts';
import { identifier, tableName } from './identifier.ts';
import { unnestFrom } from './unnest.ts';

/** The columns whose values a row holds, in their order. */
export function bulkColumns(bulk: BulkNode): readonly TableColumn[] {
  switch (bulk.kind) {
    case 'bulkInsert':
      return bulk.columns;
    case 'bulkUpdate':
      return [...bulk.set, ...bulk.match, ...bulk.guard];
    case 'bulkDelete':
      return [...bulk.match, ...bulk.guard];
  }
}

/** The text for one row; the context's root is the list of rows. */
export function singleRowText(context: CompileContext, bulk: BulkNode): string {
  const columns = bulkColumns(bulk);
  // In the order of the columns, which is that of the rows: parameter sets are sent as they are.
  const values = columns.map((column, index) =>
    at(context, [0, index], () => parameter(context, column.type.wire, (found) => found as Scalar)),
  );
  return bulkText(context, bulk, { values, from: undefined });
}

/** The text for any number of rows, as arrays. */
export function manyRowsText(context: CompileContext, bulk: BulkNode): string {
  const columns = bulkColumns(bulk);
  if (columns.length === 0) throw new CompileError('Several rows of nothing but defaults cannot be inserted at once.');
  const numbered = bulk.kind === 'bulkInsert' || (bulk.kind === 'bulkUpdate' && bulk.returning.length > 0);
  return bulkText(context, bulk, unnestFrom(context, columns, numbered));
}

interface Given {
  readonly values: readonly string[];
  /** Where the values come from, if they are no parameters. */
  readonly from: string | undefined;
}

function bulkText(context: CompileContext, bulk: BulkNode, given: Given): string {
  switch (bulk.kind) {
    case 'bulkInsert':
      return insertText(context, bulk, given);
    case 'bulkUpdate':
      return updateText(context, bulk, given);
    case 'bulkDelete':
      return deleteText(context, bulk, given);
  }
}

function insertText(context: CompileContext, bulk: BulkInsertNode, { values, from }: Given): string {
  const into = `INSERT INTO ${tableName(context, bulk.table)}`;
  const returning = returningText(context, bulk.returning);
  if (bulk.columns.length === 0) return `${into} DEFAULT VALUES${returning}`;
  const names = bulk.columns.map((column) => identifier(context, column.name)).join(', ');
  const source =
    from === undefined
      ? `VALUES (${values.join(', ')})`
      : `SELECT ${values.join(', ')} FROM ${from} ORDER BY given.ord`;
  return `${into} (${names}) ${source}${returning}`;
}

function updateText(context: CompileContext, bulk: BulkUpdateNode, { values, from }: Given): string {
  const assigned = bulk.set.map((column, index) => `${identifier(context, column.name)} = ${values[index]}`);
  const constants = (bulk.constants ?? []).map(
    ({ column, value }) =>
      `${identifier(context, column.name)} = ${expression({ ...context, inline: true }, value as ExpressionNode)}`,
  );
  const set = [...assigned, ...constants].join(', ');
  const where = whereText(context, bulk, values.slice(bulk.set.length));
  const update = `UPDATE ${tableName(context, bulk.table)} SET ${set}`;
  if (from === undefined) return `${update} WHERE ${where}${returningText(context, bulk.returning)}`;
  if (bulk.returning.length === 0) return `${update} FROM ${from} WHERE ${where}`;
  // An UPDATE returns rows as it meets them; only a query around it can put them in order.
  const returned = bulk.returning.map((column, index) => `${qualified(context, bulk, column)} AS r${index}`).join(', ');
  const names = bulk.returning.map((_, index) => `r${index}`).join(', ');
  const written = `${update} FROM ${from} WHERE ${where} RETURNING given.ord, ${returned}`;
  return `WITH written AS (${written}) SELECT ${names} FROM written ORDER BY ord`;
}

function deleteText(context: CompileContext, bulk: BulkDeleteNode, { values, from }: Given): string {
  const using = from === undefined ? '' : ` USING ${from}`;
  return `DELETE FROM ${tableName(context, bulk.table)}${using} WHERE ${whereText(context, bulk, values)}`;
}

/** The key matches, and so does, null-safe, what was read of the guarded columns. */
function whereText(context: CompileContext, bulk: BulkUpdateNode | BulkDeleteNode, values: readonly string[]): string {
  const same = context.rules.operators.notDistinct ?? OPERATORS.notDistinct.sql;
  const matches = bulk.match.map((column, index) => `${qualified(context, bulk, column)} = ${values[index]}`);
  const guards = bulk.guard.map(
    (column, index) => `${qualified(context, bulk, column)} ${same} ${values[bulk.match.length + index]}`,
  );
  return [...matches, ...guards].join(' AND ');
}

function qualified(context: CompileContext, bulk: BulkNode, column: TableColumn): string {
  return `${identifier(context, bulk.table.name)}.${identifier(context, column.name)}`;
}

function returningText(context: CompileContext, returning: readonly TableColumn[]): string {
  if (returning.length === 0) return '';
  return ` RETURNING ${returning.map((column) => identifier(context, column.name)).join(', ')}`;
}
