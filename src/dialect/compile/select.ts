// SELECT and UNION as text.
import { CompileError, UnsupportedError } from '../../errors/index.ts';
import type { ExpressionNode, OrderNode, QueryElement, SelectItem, SelectNode } from '../../sql/expression-node.ts';
import { columnName } from '../../sql/statements/select-item.ts';
import { at, type CompileContext } from './context.ts';
import { direction, expression, expressions } from './expression.ts';
import { declareCommon, fromClause, ownElements } from './from.ts';
import { identifier } from './identifier.ts';
import { itemsText } from './result.ts';

/** A whole query, without the WITH that goes before the statement. */
export function selectText(context: CompileContext, select: SelectNode): string {
  declareGiven(context, select);
  return select.compound === undefined ? plainText(context, select) : compoundText(context, select);
}

function declareGiven(context: CompileContext, select: SelectNode): void {
  select.with.forEach((element, index) => {
    if (element.kind !== 'cte') throw new CompileError('with() takes what cte() and recursive() give.');
    at(context, ['with', index], () => declareCommon(context, element as QueryElement));
  });
}

function plainText(context: CompileContext, select: SelectNode): string {
  const own = ownElements(context, select);
  const around = context.scope;
  context.scope = { elements: own, parent: around };
  const clauses = [
    `SELECT ${distinctText(context, select)}${itemsText(context, select.items, 'items')}`,
    fromClause(context, select, own),
    select.where === undefined ? '' : ` WHERE ${expression(context, select.where, 'where')}`,
    groupText(context, select),
    select.having === undefined ? '' : ` HAVING ${expression(context, select.having, 'having')}`,
    orderText(select, (_, index) => orderedText(context, select, index)),
    limitText(context, select),
    lockText(context, select),
  ];
  context.scope = around;
  return clauses.join('');
}

function distinctText(context: CompileContext, { distinct }: SelectNode): string {
  if (typeof distinct === 'boolean') return distinct ? 'DISTINCT ' : '';
  if (!context.rules.distinctOn) throw new UnsupportedError('This database has no DISTINCT ON.');
  return `DISTINCT ON (${expressions(context, distinct, 'distinct')}) `;
}

/** A label is grouped by its position: as a name it could be taken for a column. */
function groupText(context: CompileContext, select: SelectNode): string {
  if (select.groupBy.length === 0) return '';
  const parts = select.groupBy.map((node, index) => {
    const position = node.kind === 'label' ? positionOf(select.items, node.name) : undefined;
    return position === undefined ? expression(context, node, 'groupBy', index) : String(position);
  });
  return ` GROUP BY ${parts.join(', ')}`;
}

function positionOf(items: readonly SelectItem[], name: string): number | undefined {
  let position = 1;
  for (const item of items) {
    if (item.kind === 'value' && item.named && item.key === name) return position;
    position += item.kind === 'value' ? 1 : item.columns.length;
  }
  return undefined;
}

function orderText({ orderBy }: SelectNode, one: (node: ExpressionNode, index: number) => string): string {
  return orderBy.length === 0 ? '' : ` ORDER BY ${orderBy.map(one).join(', ')}`;
}

/** A label that is selected is ordered by its name. */
function orderedText(context: CompileContext, { items, orderBy }: SelectNode, index: number): string {
  const node = orderBy[index] as ExpressionNode;
  const { operand, behind } = ordering(node);
  if (operand.kind === 'label' && positionOf(items, operand.name) !== undefined) {
    return `${identifier(context, operand.name)}${behind}`;
  }
  return expression(context, node, 'orderBy', index);
}

function ordering(node: ExpressionNode): { readonly operand: ExpressionNode; readonly behind: string } {
  return node.kind === 'order'
    ? { operand: node.operand, behind: direction(node as OrderNode) }
    : { operand: node, behind: '' };
}

function limitText(context: CompileContext, { limit, offset }: SelectNode): string {
  const first = limit === undefined ? '' : ` LIMIT ${expression(context, limit, 'limit')}`;
  if (offset === undefined) return first;
  return `${first === '' ? context.rules.unlimited : first} OFFSET ${expression(context, offset, 'offset')}`;
}

function lockText(context: CompileContext, { lock }: SelectNode): string {
  if (lock === undefined) return '';
  return context.rules.lock(lock, lock.of === undefined ? undefined : identifier(context, lock.of.name));
}

function compoundText(context: CompileContext, select: SelectNode): string {
  const { compound } = select;
  if (compound === undefined) return '';
  const first = partText(context, compound.first, ['compound', 'first']);
  const rest = compound.rest.map(
    ({ operator, query }, index) =>
      ` ${operator.toUpperCase()} ${partText(context, query, ['compound', 'rest', index, 'query'])}`,
  );
  const order = orderText(select, (node) => outputText(context, compound.first.items, node));
  return `${first}${rest.join('')}${order}${limitText(context, select)}`;
}

/** A part with an order or a limit of its own must be closed in; not every database takes parentheses for that. */
function partText(context: CompileContext, query: SelectNode, steps: readonly (string | number)[]): string {
  const text = at(context, steps, () => selectText(context, query));
  const { compound, orderBy, limit, offset, lock } = query;
  if (lock !== undefined) throw new CompileError('A part of a union cannot lock rows.');
  const closed = compound === undefined && orderBy.length === 0 && limit === undefined && offset === undefined;
  return closed ? text : `SELECT * FROM (${text}) AS part`;
}

/** What a union is ordered by: one of its columns, by name. */
function outputText(context: CompileContext, items: readonly SelectItem[], node: ExpressionNode): string {
  const { operand, behind } = ordering(node);
  for (const item of items) {
    if (item.kind === 'entity') {
      const own = operand.kind === 'column' && operand.from === item.from;
      if (own) return `${identifier(context, operand.column.name)}${behind}`;
    } else if (operand.kind === 'label' ? item.key === operand.name : item.node.key === operand.key) {
      return `${identifier(context, columnName(item))}${behind}`;
    }
  }
  throw new CompileError('A union is ordered by columns of its first part.', { hint: 'label() what to order by.' });
}
