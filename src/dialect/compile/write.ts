// INSERT, UPDATE and DELETE as text.
import { CompileError, UnsupportedError } from '../../errors/index.ts';
import type {
  Assignment,
  ConflictNode,
  DeleteNode,
  ExpressionNode,
  InsertNode,
  SelectItem,
  UpdateNode,
} from '../../sql/expression-node.ts';
import type { FromElement, TableColumn } from '../../sql/from.ts';
import type { Scalar } from '../../types/wire.ts';
import { at, type CompileContext, type PathStep, parameter } from './context.ts';
import { expression } from './expression.ts';
import { checkNames, elementText } from './from.ts';
import { identifier, tableName } from './identifier.ts';
import { itemsText } from './result.ts';
import { unnestFrom } from './unnest.ts';

export function insertText(context: CompileContext, insert: InsertNode): string {
  const { table, columns, conflict, returning } = insert;
  context.scope = { elements: [table], parent: undefined };
  const names = columns.map((column) => identifier(context, column.name)).join(', ');
  const into = `INSERT INTO ${tableName(context, table)}${columns.length === 0 ? '' : ` (${names})`}`;
  const source = sourceText(context, insert);
  const behind = conflict === undefined ? '' : at(context, ['conflict'], () => conflictText(context, conflict));
  return `${into} ${source}${behind}${returningText(context, returning)}`;
}

function sourceText(context: CompileContext, insert: InsertNode): string {
  const { source, columns } = insert;
  switch (source.kind) {
    case 'rows':
      if (columns.length === 0) return defaultRows(source.rows.length);
      if (source.rows.length > 1 && context.rules.unnest !== undefined) return unnestedRows(context, insert);
      // More rows than one are parameter sets of this text.
      return `VALUES (${columns.map((column, index) => rowParameter(context, column as TableColumn, index)).join(', ')})`;
    case 'values': {
      const rows = source.rows.map((row, index) => {
        const values = row.map((value, at) =>
          valueText(context, columns[at] as TableColumn, { value, steps: ['source', 'rows', index, at] }),
        );
        return `(${values.join(', ')})`;
      });
      return `VALUES ${rows.join(', ')}`;
    }
    case 'query': {
      const query = at(context, ['source', 'query'], () => apartQuery(context, insert));
      const needsWhere = insert.conflict !== undefined && context.rules.conflictNeedsWhere;
      return needsWhere ? `SELECT * FROM (${query}) AS given WHERE TRUE` : query;
    }
  }
}

function apartQuery(context: CompileContext, insert: InsertNode): string {
  if (insert.source.kind !== 'query') return '';
  const { scope } = context;
  context.scope = undefined;
  const text = context.renderQuery(context, insert.source.query);
  context.scope = scope;
  return text;
}

function defaultRows(count: number): string {
  if (count === 1) return 'DEFAULT VALUES';
  throw new CompileError('Several rows of nothing but defaults cannot be inserted at once.');
}

function rowParameter(context: CompileContext, column: TableColumn, index: number): string {
  return at(context, ['source', 'rows', 0, index], () =>
    parameter(context, column.type.wire, (found) => found as Scalar),
  );
}

function unnestedRows(context: CompileContext, insert: InsertNode): string {
  const columns = insert.columns as readonly TableColumn[];
  const { from, values } = at(context, ['source', 'rows'], () => unnestFrom(context, columns, true));
  return `SELECT ${values.join(', ')} FROM ${from} ORDER BY given.ord`;
}

interface PlacedValue {
  readonly value: ExpressionNode | undefined;
  readonly steps: readonly PathStep[];
}

/** A value in VALUES; what is missing is the column's default, spelled out where there is no word for it. */
function valueText(context: CompileContext, column: TableColumn, { value, steps }: PlacedValue): string {
  if (value !== undefined) return expression(context, value, ...steps);
  if (context.rules.defaultWord !== undefined) return context.rules.defaultWord;
  if (column.serverDefault === undefined) return 'NULL';
  return expression({ ...context, inline: true }, column.serverDefault as ExpressionNode);
}

function conflictText(context: CompileContext, { target, set }: ConflictNode): string {
  const names = target.map((column) => identifier(context, column.name)).join(', ');
  const on = ` ON CONFLICT${target.length === 0 ? '' : ` (${names})`}`;
  if (set.length === 0) return `${on} DO NOTHING`;
  if (target.length === 0) throw new CompileError('onConflictDoUpdate() needs a target.');
  return `${on} DO UPDATE SET ${assignmentsText(context, set)}`;
}

function assignmentsText(context: CompileContext, set: readonly Assignment[]): string {
  return set
    .map(({ column, value }, index) => {
      return `${identifier(context, column.name)} = ${expression(context, value, 'set', index, 'value')}`;
    })
    .join(', ');
}

function returningText(context: CompileContext, returning: readonly SelectItem[]): string {
  return returning.length === 0 ? '' : ` RETURNING ${itemsText(context, returning, 'returning')}`;
}

export function updateText(context: CompileContext, update: UpdateNode): string {
  const { table, set, implicit, where, returning } = update;
  context.scope = { elements: [table, ...implicit], parent: undefined };
  checkNames([table, ...implicit], []);
  const target = elementText(context, table);
  const assigned = assignmentsText(context, set);
  const from = implicit.length === 0 ? '' : ` FROM ${implicitText(context, implicit)}`;
  const condition = where === undefined ? '' : ` WHERE ${expression(context, where, 'where')}`;
  return `UPDATE ${target} SET ${assigned}${from}${condition}${returningText(context, returning)}`;
}

export function deleteText(context: CompileContext, statement: DeleteNode): string {
  const { table, implicit, where, returning } = statement;
  if (implicit.length > 0 && !context.rules.deleteUsing) {
    throw new UnsupportedError('This database cannot delete by a join.', {
      hint: 'Use in() or exists() with a select.',
    });
  }
  context.scope = { elements: [table, ...implicit], parent: undefined };
  checkNames([table, ...implicit], []);
  const using = implicit.length === 0 ? '' : ` USING ${implicitText(context, implicit)}`;
  const condition = where === undefined ? '' : ` WHERE ${expression(context, where, 'where')}`;
  return `DELETE FROM ${elementText(context, table)}${using}${condition}${returningText(context, returning)}`;
}

function implicitText(context: CompileContext, implicit: readonly FromElement[]): string {
  return implicit
    .map((element, index) => at(context, ['implicit', index], () => elementText(context, element)))
    .join(', ');
}
