// Makes the nodes of expressions, each with the key of its shape. A key is a prefix code: every kind has its own first
// letter, names are written with their length, lists with their count, so no two shapes can spell the same key.
import { BOOLEAN } from '../types/boolean-type.ts';
import type { ColumnType } from '../types/column-type.ts';
import { UNKNOWN } from '../types/unknown-type.ts';
import type { Scalar } from '../types/wire.ts';
import type {
  BetweenNode,
  BinaryNode,
  BindNode,
  CaseNode,
  CastNode,
  ColumnNode,
  ConstantNode,
  ExistsNode,
  ExpressionNode,
  FilterNode,
  FunctionNode,
  InListNode,
  InQueryNode,
  LabelNode,
  LikeNode,
  LogicalNode,
  NotNode,
  NullTestNode,
  OrderNode,
  OverNode,
  PathNode,
  RawNode,
  Reach,
  ScalarQueryNode,
  SelectNode,
  TableNameNode,
} from './expression-node.ts';
import type { FromColumn, FromElement } from './from.ts';
import type { BinaryOperator } from './operators.ts';

const NO_FROMS: readonly FromElement[] = Object.freeze([]);

/** A name inside a key. */
export function keyed(name: string): string {
  return `${name.length}:${name}`;
}

function keyedType(type: ColumnType | undefined): string {
  return type === undefined ? '-' : keyed(type.key);
}

/** Keys of a list inside a key. */
export function keyedList(nodes: readonly { readonly key: string }[]): string {
  let key = `${nodes.length}[`;
  for (const node of nodes) key += node.key;
  return key;
}

/** Joins what two parts use; most often one has nothing, or both the same. */
export function joinFroms(a: readonly FromElement[], b: readonly FromElement[]): readonly FromElement[] {
  if (b.length === 0 || a === b) return a;
  if (a.length === 0) return b;
  let joined: FromElement[] | undefined;
  for (let i = 0; i < b.length; i++) {
    const element = b[i] as FromElement;
    if (holds(a, element)) continue;
    if (joined === undefined) joined = a.slice();
    joined.push(element);
  }
  return joined ?? a;
}

/** For lists of two or three a loop is several times as fast as `includes`. */
function holds(list: readonly FromElement[], element: FromElement): boolean {
  for (let i = 0; i < list.length; i++) if (list[i] === element) return true;
  return false;
}

const single = new WeakMap<FromElement, readonly FromElement[]>();

/** The list of one element; the same list each time, so that joining it to itself costs nothing. */
export function only(element: FromElement): readonly FromElement[] {
  let list = single.get(element);
  if (list === undefined) {
    list = [element];
    single.set(element, list);
  }
  return list;
}

/** Joins what two parts reach, in order: repeats stay, for their pattern is part of a statement's shape. */
export function joinReach(a: Reach | undefined, b: Reach | undefined): Reach | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return { elements: [...a.elements, ...b.elements], raw: a.raw || b.raw };
}

interface Used {
  readonly froms: readonly FromElement[];
  readonly reach: Reach | undefined;
}

/** What a list of expressions uses. */
export function usedBy(nodes: readonly Used[]): Used {
  let froms = NO_FROMS;
  let reach: Reach | undefined;
  for (const node of nodes) {
    froms = joinFroms(froms, node.froms);
    reach = joinReach(reach, node.reach);
  }
  return { froms, reach };
}

export function columnNode(from: FromElement, column: FromColumn): ColumnNode {
  const key = `c${from.key}.${keyed(column.name)}`;
  return Object.freeze({
    kind: 'column',
    key,
    // Asked for on use: the type of a foreign key is that of a column in a module that may not be loaded yet.
    get type(): ColumnType | undefined {
      return column.type === UNKNOWN ? undefined : column.type;
    },
    froms: only(from),
    reach: undefined,
    from,
    column,
  });
}

export function bindNode(value: Scalar, type: ColumnType | undefined, bare = false): BindNode {
  const key = `${bare ? 'B' : 'b'}${keyedType(type)}`;
  return Object.freeze({ kind: 'bind', key, type, froms: NO_FROMS, reach: undefined, value, bare });
}

/** An array of values of one type, as IN takes it. */
export function arrayBindNode(values: readonly Scalar[], type: ColumnType): BindNode {
  const key = `L${keyed(type.key)}`;
  return Object.freeze({ kind: 'bind', key, type, froms: NO_FROMS, reach: undefined, value: values, bare: false });
}

export function constantNode(name: ConstantNode['name']): ConstantNode {
  const type = name === 'null' ? undefined : BOOLEAN;
  return Object.freeze({ kind: 'constant', key: `k${name[0]}`, type, froms: NO_FROMS, reach: undefined, name });
}

/** A comparison. */
export function binaryNode(
  operator: BinaryOperator,
  sides: { readonly left: ExpressionNode; readonly right: ExpressionNode },
): BinaryNode {
  return computedNode(operator, sides, BOOLEAN);
}

/** An operator whose value is of `type`. */
export function computedNode(
  operator: BinaryOperator,
  sides: { readonly left: ExpressionNode; readonly right: ExpressionNode },
  type: ColumnType | undefined,
): BinaryNode {
  const { left, right } = sides;
  return Object.freeze({
    kind: 'binary',
    key: `o${operator}(${left.key}${right.key}`,
    type,
    froms: joinFroms(left.froms, right.froms),
    reach: joinReach(left.reach, right.reach),
    operator,
    left,
    right,
  });
}

/** `items` joined by AND or OR; one alone is itself. An empty AND is true, an empty OR false, as in logic. */
export function logicalNode(operator: 'and' | 'or', given: readonly ExpressionNode[]): ExpressionNode {
  const items = given.flatMap((item) => (item.kind === 'logical' && item.operator === operator ? item.items : [item]));
  const [only] = items;
  if (only === undefined) return constantNode(operator === 'and' ? 'true' : 'false');
  if (items.length === 1) return only;
  const node: LogicalNode = {
    kind: 'logical',
    key: `${operator === 'and' ? 'a' : 'v'}${keyedList(items)}`,
    type: BOOLEAN,
    ...usedBy(items),
    operator,
    items,
  };
  return Object.freeze(node);
}

export function notNode(operand: ExpressionNode): NotNode {
  const { froms, reach } = operand;
  return Object.freeze({ kind: 'not', key: `!${operand.key}`, type: BOOLEAN, froms, reach, operand });
}

export function nullTestNode(operand: ExpressionNode, negated: boolean): NullTestNode {
  const { froms, reach } = operand;
  const key = `${negated ? 'N' : 'n'}${operand.key}`;
  return Object.freeze({ kind: 'nullTest', key, type: BOOLEAN, froms, reach, operand, negated });
}

export function betweenNode(operand: ExpressionNode, low: ExpressionNode, high: ExpressionNode): BetweenNode {
  const key = `w${operand.key}${low.key}${high.key}`;
  return Object.freeze({ kind: 'between', key, type: BOOLEAN, ...usedBy([operand, low, high]), operand, low, high });
}

export function inListNode(operand: ExpressionNode, values: BindNode, negated: boolean): InListNode {
  const key = `${negated ? 'I' : 'i'}${operand.key}${values.key}`;
  const { froms, reach } = operand;
  return Object.freeze({ kind: 'inList', key, type: BOOLEAN, froms, reach, operand, values, negated });
}

export function inQueryNode(operand: ExpressionNode, query: SelectNode, negated: boolean): InQueryNode {
  const key = `${negated ? 'Q' : 'q'}${operand.key}${query.key}`;
  const reach = joinReach(operand.reach, query.reach);
  return Object.freeze({ kind: 'inQuery', key, type: BOOLEAN, froms: operand.froms, reach, operand, query, negated });
}

export function likeNode(operand: ExpressionNode, pattern: ExpressionNode, insensitive: boolean): LikeNode {
  const key = `${insensitive ? 'H' : 'h'}${operand.key}${pattern.key}`;
  return Object.freeze({
    kind: 'like',
    key,
    type: BOOLEAN,
    ...usedBy([operand, pattern]),
    operand,
    pattern,
    insensitive,
  });
}

export function functionNode(
  name: string,
  args: readonly ExpressionNode[],
  options: { readonly type?: ColumnType | undefined; readonly star?: boolean } = {},
): FunctionNode {
  const { type, star = false } = options;
  const key = `f${keyed(name)}${keyedType(type)}${star ? '*' : keyedList(args)}`;
  return Object.freeze({ kind: 'function', key, type, ...usedBy(args), name, args, star });
}

export function overNode(
  operand: ExpressionNode,
  window: { readonly partitionBy: readonly ExpressionNode[]; readonly orderBy: readonly ExpressionNode[] },
): OverNode {
  const { partitionBy, orderBy } = window;
  const key = `x${operand.key}${keyedList(partitionBy)}${keyedList(orderBy)}`;
  const used = usedBy([operand, ...partitionBy, ...orderBy]);
  return Object.freeze({ kind: 'over', key, type: operand.type, ...used, operand, partitionBy, orderBy });
}

export function filterNode(operand: ExpressionNode, where: ExpressionNode): FilterNode {
  const key = `g${operand.key}${where.key}`;
  return Object.freeze({ kind: 'filter', key, type: operand.type, ...usedBy([operand, where]), operand, where });
}

export function castNode(operand: ExpressionNode, type: ColumnType): CastNode {
  const { froms, reach } = operand;
  return Object.freeze({ kind: 'cast', key: `t${keyed(type.key)}${operand.key}`, type, froms, reach, operand });
}

export function caseNode(whens: CaseNode['whens'], otherwise: ExpressionNode | undefined): CaseNode {
  const parts = whens.flatMap(({ when, value }) => [when, value]);
  const all = otherwise === undefined ? parts : [...parts, otherwise];
  const type = (whens.find(({ value }) => value.type !== undefined)?.value ?? otherwise)?.type;
  const key = `e${otherwise === undefined ? '-' : '+'}${keyedList(all)}`;
  return Object.freeze({ kind: 'case', key, type, ...usedBy(all), whens, otherwise });
}

export function labelNode(operand: ExpressionNode, name: string): LabelNode {
  const { froms, reach, type } = operand;
  return Object.freeze({ kind: 'label', key: `l${keyed(name)}${operand.key}`, type, froms, reach, operand, name });
}

export function orderNode(
  operand: ExpressionNode,
  direction: OrderNode['direction'],
  nulls: OrderNode['nulls'],
): OrderNode {
  const { froms, reach, type } = operand;
  const key = `s${direction[0]}${nulls === undefined ? '-' : nulls[0]}${operand.key}`;
  return Object.freeze({ kind: 'order', key, type, froms, reach, operand, direction, nulls });
}

export function scalarQueryNode(query: SelectNode, type: ColumnType | undefined): ScalarQueryNode {
  const { reach } = query;
  return Object.freeze({ kind: 'scalarQuery', key: `y${query.key}`, type, froms: NO_FROMS, reach, query });
}

export function existsNode(query: SelectNode): ExistsNode {
  const { reach } = query;
  return Object.freeze({ kind: 'exists', key: `z${query.key}`, type: BOOLEAN, froms: NO_FROMS, reach, query });
}

export function tableNameNode(from: FromElement): TableNameNode {
  return Object.freeze({ kind: 'tableName', key: `T${from.key}`, from });
}

export function rawNode(strings: readonly string[], parts: RawNode['parts'], type: ColumnType | undefined): RawNode {
  let key = `r${keyedType(type)}${strings.length}[`;
  for (const text of strings) key += keyed(text);
  for (const part of parts) key += part.key;
  const expressions = parts.filter((part) => part.kind !== 'tableName');
  const reach = joinReach(usedBy(expressions).reach, { elements: [], raw: true });
  return Object.freeze({ kind: 'raw', key, type, froms: usedBy(expressions).froms, reach, strings, parts });
}

export function pathNode(operand: ExpressionNode, path: BindNode, type: ColumnType | undefined): PathNode {
  const { froms, reach } = operand;
  return Object.freeze({ kind: 'path', key: `p${operand.key}`, type, froms, reach, operand, path });
}
