// Expressions as text. Free functions over the context, one for each kind; a dialect may replace any of them.
import { CompileError } from '../../errors/index.ts';
import type {
  BetweenNode,
  BinaryNode,
  BindNode,
  CaseNode,
  ColumnNode,
  ExistsNode,
  ExpressionNode,
  FunctionNode,
  InListNode,
  InQueryNode,
  LikeNode,
  LogicalNode,
  OrderNode,
  OverNode,
  RawNode,
  ScalarQueryNode,
  SelectNode,
} from '../../sql/expression-node.ts';
import { LEVEL, OPERATORS } from '../../sql/operators.ts';
import type { Scalar, WireKind } from '../../types/wire.ts';
import { at, type CompileContext, type PathStep, parameter } from './context.ts';
import { identifier, tableName } from './identifier.ts';

/** The text of `node`, which lies at `steps` from where the context is. */
export function expression(context: CompileContext, node: ExpressionNode, ...steps: PathStep[]): string {
  return at(context, steps, () => render(context, node));
}

/** An operand, and how tightly it must bind to stand there without parentheses. */
export interface Operand {
  readonly node: ExpressionNode;
  readonly level: number;
}

/** The text of an operand, in parentheses if it binds more loosely than it must. */
export function tight(context: CompileContext, { node, level }: Operand, ...steps: PathStep[]): string {
  const text = expression(context, node, ...steps);
  return levelOf(node) < level ? `(${text})` : text;
}

/** A list, each in the place `name` of its parent. */
export function expressions(context: CompileContext, nodes: readonly ExpressionNode[], name: string): string {
  return nodes.map((node, index) => expression(context, node, name, index)).join(', ');
}

function render(context: CompileContext, node: ExpressionNode): string {
  const override = context.rules.expressions[node.kind] as
    | ((context: CompileContext, node: ExpressionNode) => string)
    | undefined;
  return override === undefined ? renderStandard(context, node) : override(context, node);
}

/** As most databases have it. */
export function renderStandard(context: CompileContext, node: ExpressionNode): string {
  switch (node.kind) {
    case 'column':
      return columnText(context, node);
    case 'bind':
      return bindText(context, node);
    case 'constant':
      return node.name.toUpperCase();
    case 'binary':
      return binaryText(context, node);
    case 'logical':
      return logicalText(context, node);
    case 'not':
      return `NOT ${tight(context, { node: node.operand, level: LEVEL.primary }, 'operand')}`;
    case 'nullTest':
      return `${above(context, node.operand, 'operand')} IS ${node.negated ? 'NOT ' : ''}NULL`;
    case 'between':
      return betweenText(context, node);
    case 'inList':
      return inListText(context, node);
    case 'inQuery':
      return inQueryText(context, node);
    case 'like':
      return likeText(context, node);
    case 'function':
      return functionText(context, node);
    case 'over':
      return overText(context, node);
    case 'filter':
      return `${expression(context, node.operand, 'operand')} FILTER (WHERE ${expression(context, node.where, 'where')})`;
    case 'cast':
      return `CAST(${expression(context, node.operand, 'operand')} AS ${context.rules.typeName(node.type)})`;
    case 'case':
      return caseText(context, node);
    case 'label':
      return expression(context, node.operand, 'operand');
    case 'order':
      return orderText(context, node);
    case 'scalarQuery':
    case 'exists':
      return nestedText(context, node);
    case 'raw':
      return rawText(context, node);
    case 'path':
      return `${tight(context, { node: node.operand, level: LEVEL.path }, 'operand')} #> ${expression(context, node.path, 'path')}`;
  }
}

function levelOf(node: ExpressionNode): number {
  switch (node.kind) {
    case 'binary':
      return OPERATORS[node.operator].level;
    case 'logical':
      return LEVEL[node.operator];
    case 'not':
      return LEVEL.not;
    case 'nullTest':
    case 'between':
    case 'inList':
    case 'inQuery':
    case 'like':
      return LEVEL.predicate;
    case 'raw':
      return LEVEL.raw;
    case 'path':
      return LEVEL.path;
    case 'label':
      return levelOf(node.operand);
    default:
      return LEVEL.primary;
  }
}

/** An operand of a predicate: predicates do not chain. */
function above(context: CompileContext, node: ExpressionNode, ...steps: PathStep[]): string {
  return tight(context, { node: node, level: LEVEL.predicate + 1 }, ...steps);
}

function columnText(context: CompileContext, { from, column }: ColumnNode): string {
  const name = identifier(context, column.name);
  return context.qualified ? `${identifier(context, from.name)}.${name}` : name;
}

/** The wire form of a bind: an array of the type's where the value is a list for IN. */
export function bindWire(node: BindNode): WireKind | undefined {
  if (node.type === undefined) return undefined;
  return Array.isArray(node.value) && !node.type.wire.endsWith('[]')
    ? (`${node.type.wire}[]` as WireKind)
    : node.type.wire;
}

function bindText(context: CompileContext, node: BindNode): string {
  const { rules } = context;
  if (context.inline) return rules.literal(node.value, node.type);
  const placeholder = parameter(context, bindWire(node));
  if (!node.bare || !rules.castsParameters || node.type === undefined) return placeholder;
  return `CAST(${placeholder} AS ${rules.typeName(node.type)})`;
}

function binaryText(context: CompileContext, node: BinaryNode): string {
  const { operator, left, right } = node;
  const { level, sql } = OPERATORS[operator];
  const word = context.rules.operators[operator] ?? sql;
  // Databases disagree where || stands among the operators, so only itself may stand beside it.
  const chains = operator === 'concat' ? left.kind === 'binary' && left.operator === 'concat' : level > LEVEL.predicate;
  const leftLevel = chains ? level : operator === 'concat' ? LEVEL.primary : level + 1;
  const rightLevel = operator === 'concat' ? LEVEL.primary : level + 1;
  return `${tight(context, { node: left, level: leftLevel }, 'left')} ${word} ${tight(context, { node: right, level: rightLevel }, 'right')}`;
}

function logicalText(context: CompileContext, node: LogicalNode): string {
  const level = LEVEL[node.operator] + 1;
  const items = node.items.map((item, index) => tight(context, { node: item, level: level }, 'items', index));
  return items.join(node.operator === 'and' ? ' AND ' : ' OR ');
}

function betweenText(context: CompileContext, node: BetweenNode): string {
  const operand = above(context, node.operand, 'operand');
  return `${operand} BETWEEN ${above(context, node.low, 'low')} AND ${above(context, node.high, 'high')}`;
}

function inListText(context: CompileContext, node: InListNode): string {
  const left = above(context, node.operand, 'operand');
  if (!context.inline) return context.rules.inArray(left, expression(context, node.values, 'values'), node.negated);
  const values = (node.values.value as readonly Scalar[]).map((one) => context.rules.literal(one, node.values.type));
  if (values.length === 0) return node.negated ? 'TRUE' : 'FALSE';
  return `${left} ${node.negated ? 'NOT ' : ''}IN (${values.join(', ')})`;
}

function inQueryText(context: CompileContext, node: InQueryNode): string {
  const left = above(context, node.operand, 'operand');
  return `${left} ${node.negated ? 'NOT ' : ''}IN (${nested(context, node.query)})`;
}

function likeText(context: CompileContext, node: LikeNode): string {
  const operand = above(context, node.operand, 'operand');
  const pattern = above(context, node.pattern, 'pattern');
  return node.insensitive
    ? `lower(${operand}) LIKE lower(${pattern}) ESCAPE '\\'`
    : `${operand} LIKE ${pattern} ESCAPE '\\'`;
}

function functionText(context: CompileContext, node: FunctionNode): string {
  const special = context.rules.functions[node.name];
  if (special !== undefined) return special(context, node);
  return `${node.name}(${node.star ? '*' : expressions(context, node.args, 'args')})`;
}

function overText(context: CompileContext, node: OverNode): string {
  const operand = expression(context, node.operand, 'operand');
  const parts = [
    node.partitionBy.length === 0 ? '' : `PARTITION BY ${expressions(context, node.partitionBy, 'partitionBy')}`,
    node.orderBy.length === 0 ? '' : `ORDER BY ${expressions(context, node.orderBy, 'orderBy')}`,
  ];
  return `${operand} OVER (${parts.filter((part) => part !== '').join(' ')})`;
}

function caseText(context: CompileContext, node: CaseNode): string {
  const whens = node.whens.map(({ when, value }, index) => {
    const condition = expression(context, when, 'whens', index, 'when');
    return `WHEN ${condition} THEN ${expression(context, value, 'whens', index, 'value')}`;
  });
  const otherwise = node.otherwise === undefined ? '' : ` ELSE ${expression(context, node.otherwise, 'otherwise')}`;
  return `CASE ${whens.join(' ')}${otherwise} END`;
}

function orderText(context: CompileContext, node: OrderNode): string {
  return `${expression(context, node.operand, 'operand')}${direction(node)}`;
}

/** What stands behind an expression in ORDER BY. */
export function direction({ direction: way, nulls }: Pick<OrderNode, 'direction' | 'nulls'>): string {
  return `${way === 'desc' ? ' DESC' : ''}${nulls === undefined ? '' : ` NULLS ${nulls.toUpperCase()}`}`;
}

function nestedText(context: CompileContext, node: ScalarQueryNode | ExistsNode): string {
  return `${node.kind === 'exists' ? 'EXISTS ' : ''}(${nested(context, node.query)})`;
}

function nested(context: CompileContext, query: SelectNode): string {
  if (context.inline) throw new CompileError('A schema cannot hold a query.');
  const { named } = context;
  context.named = false;
  const text = at(context, ['query'], () => context.renderQuery(context, query));
  context.named = named;
  return text;
}

function rawText(context: CompileContext, node: RawNode): string {
  return node.strings.reduce((text, string, index) => {
    const part = node.parts[index - 1];
    if (part === undefined) return text + string;
    const middle =
      part.kind === 'tableName'
        ? tableName(context, part.from)
        : tight(context, { node: part, level: LEVEL.primary }, 'parts', index - 1);
    return text + middle + string;
  });
}
