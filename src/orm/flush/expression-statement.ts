// A row with an expression for a new value has a statement of its own.
import { binaryNode, bindNode, columnNode, logicalNode } from '../../sql/expression-factory.ts';
import { Expression } from '../../sql/expression.ts';
import type { Assignment, ExpressionNode } from '../../sql/expression-node.ts';
import { FROM, type TableColumn, type TableElement } from '../../sql/from.ts';
import { makeUpdate } from '../../sql/statements/guarded-write.ts';
import { insert } from '../../sql/statements/insert.ts';
import type { StatementNode } from '../../sql/node.ts';
import { NODE } from '../../sql/phantom.ts';
import { selectItems } from '../../sql/statements/select-item.ts';
import type { Scalar } from '../../types/wire.ts';
import type { RowChange } from './row-change.ts';

/** `values` are the row's own, in the order of its shape. */
export function expressionStatement(row: RowChange, values: readonly Scalar[]): StatementNode {
  return row.shape.action === 'insert' ? insertStatement(row, values) : updateStatement(row, values);
}

function updateStatement(row: RowChange, values: readonly Scalar[]): StatementNode {
  const { shape, mapper } = row;
  const { table } = mapper;
  const set: Assignment[] = shape.set.map((column, index) => ({
    column,
    value: bound(column, values[index] as Scalar),
  }));
  row.expressions?.forEach(({ expression }, column) => {
    set.push({ column, value: expression as ExpressionNode });
  });
  const at = shape.set.length;
  const where = [
    ...shape.match.map((column, index) => equals(table, column, values[at + index] as Scalar)),
    ...shape.guard.map((column, index) => equals(table, column, values[at + shape.match.length + index] as Scalar)),
  ];
  return makeUpdate({
    table,
    set,
    where: [logicalNode('and', where)],
    everyRow: false,
    returning: returned(row),
  });
}

function insertStatement(row: RowChange, values: readonly Scalar[]): StatementNode {
  const { shape, mapper } = row;
  const given: Record<string, unknown> = Object.create(null);
  shape.set.forEach((column, index) => {
    given[column.key] = new Expression(bound(column, values[index] as Scalar));
  });
  row.expressions?.forEach(({ expression }, column) => {
    given[column.key] = new Expression(expression as ExpressionNode);
  });
  const builder = insert({ [FROM]: mapper.table } as never) as unknown as {
    values(row: object): { returning(...items: unknown[]): { readonly [NODE]: StatementNode } };
  };
  return builder
    .values(given)
    .returning(...shape.returning.map((column) => new Expression(columnNode(mapper.table, column))))[NODE];
}

function returned({ shape, mapper }: RowChange): ReturnType<typeof selectItems> {
  if (shape.returning.length === 0) return [];
  return selectItems(shape.returning.map((column) => new Expression(columnNode(mapper.table, column))));
}

function bound(column: TableColumn, value: Scalar): ExpressionNode {
  return bindNode(value, column.type);
}

/** Null-safe: what was NULL must still be NULL. */
function equals(table: TableElement, column: TableColumn, value: Scalar): ExpressionNode {
  const sides = { left: columnNode(table, column), right: bound(column, value) };
  return binaryNode(value === null || column.nullable ? 'notDistinct' : 'eq', sides);
}
