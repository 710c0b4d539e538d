// The one class behind every SQL expression. Its methods are those of `Expr`, typed loosely: what may be called with
// what is `Expr`'s business at compile time and the operands' at run time.
import { UsageError } from '../errors/index.ts';
import type { ColumnType } from '../types/column-type.ts';
import { encodeValue } from '../types/encode.ts';
import { JSON_TYPE } from '../types/json-type.ts';
import { checkText, TEXT } from '../types/text-types.ts';
import type { Expr, Label, OrderBy } from './expr.ts';
import {
  arrayBindNode,
  betweenNode,
  binaryNode,
  bindNode,
  castNode,
  computedNode,
  filterNode,
  inListNode,
  inQueryNode,
  labelNode,
  likeNode,
  logicalNode,
  notNode,
  nullTestNode,
  orderNode,
  overNode,
  pathNode,
} from './expression-factory.ts';
import type { ExpressionNode, OrderNode } from './expression-node.ts';
import { expressionNode, listNode, nodeOf, operandNode, textNode, valueNode } from './operand.ts';
import type { BinaryOperator } from './operators.ts';
import { NODE, TYPE } from './phantom.ts';
import { queryOf } from './statements/select-factory.ts';

/** What `over` takes. */
interface WindowGiven {
  readonly partitionBy?: readonly unknown[];
  readonly orderBy?: readonly unknown[];
}

export class Expression {
  readonly [NODE]: ExpressionNode;
  constructor(node: ExpressionNode) {
    this[NODE] = node;
  }
  /** How its values are written and read. */
  get type(): ColumnType | undefined {
    return this[NODE].type;
  }

  eq(value: unknown): Expression {
    return this.#compare('eq', value);
  }
  ne(value: unknown): Expression {
    return this.#compare('ne', value);
  }
  lt(value: unknown): Expression {
    return this.#compare('lt', value);
  }
  le(value: unknown): Expression {
    return this.#compare('le', value);
  }
  gt(value: unknown): Expression {
    return this.#compare('gt', value);
  }
  ge(value: unknown): Expression {
    return this.#compare('ge', value);
  }
  between(low: unknown, high: unknown): Expression {
    const node = this[NODE];
    return new Expression(betweenNode(node, operandNode(low, node), operandNode(high, node)));
  }
  in(values: unknown): Expression {
    return this.#in(values, false);
  }
  notIn(values: unknown): Expression {
    return this.#in(values, true);
  }
  isNull(): Expression {
    return new Expression(nullTestNode(this[NODE], false));
  }
  isNotNull(): Expression {
    return new Expression(nullTestNode(this[NODE], true));
  }
  isDistinctFrom(value: unknown): Expression {
    return this.#nullSafe('distinct', value);
  }
  isNotDistinctFrom(value: unknown): Expression {
    return this.#nullSafe('notDistinct', value);
  }

  like(pattern: unknown): Expression {
    return new Expression(likeNode(this[NODE], textNode(pattern), false));
  }
  ilike(pattern: unknown): Expression {
    return new Expression(likeNode(this[NODE], textNode(pattern), true));
  }
  startsWith(text: unknown): Expression {
    return this.#literally(['', text, '%']);
  }
  endsWith(text: unknown): Expression {
    return this.#literally(['%', text, '']);
  }
  contains(text: unknown): Expression {
    return this.#literally(['%', text, '%']);
  }
  concat(...parts: unknown[]): Expression {
    return parts.reduce<Expression>(
      (left, part) =>
        new Expression(computedNode('concat', { left: left[NODE], right: textNode(part) }, left.type ?? TEXT)),
      this,
    );
  }

  plus(value: unknown): Expression {
    return this.#compute('plus', value);
  }
  minus(value: unknown): Expression {
    return this.#compute('minus', value);
  }
  times(value: unknown): Expression {
    return this.#compute('times', value);
  }
  div(value: unknown): Expression {
    return this.#compute('div', value);
  }

  and(...others: unknown[]): Expression {
    return new Expression(logicalNode('and', [this[NODE], ...conditions(others)]));
  }
  or(...others: unknown[]): Expression {
    return new Expression(logicalNode('or', [this[NODE], ...conditions(others)]));
  }
  not(): Expression {
    return new Expression(notNode(this[NODE]));
  }

  path(key: unknown): Expression {
    const path = arrayBindNode([checkText(key)], TEXT);
    return new Expression(pathNode(this[NODE], path, JSON_TYPE));
  }
  cast(target: { readonly [TYPE]: ColumnType }): Expression {
    const type = (target as { readonly [TYPE]?: ColumnType } | undefined)?.[TYPE];
    if (type === undefined) {
      throw new UsageError('cast() takes a column type.', { hint: 'For example: cast(numeric(10, 2)).' });
    }
    return new Expression(castNode(this[NODE], type));
  }
  asc(): OrderBy {
    return ordered(this[NODE], 'asc', undefined);
  }
  desc(): OrderBy {
    return ordered(this[NODE], 'desc', undefined);
  }
  label(name: string): Expression {
    if (typeof name !== 'string' || name === '') throw new UsageError('label() takes a name.');
    return new Expression(labelNode(unlabelled(this[NODE]), name));
  }
  over(window: WindowGiven): Expression {
    const { partitionBy = [], orderBy = [] } = window;
    return new Expression(
      overNode(this[NODE], {
        partitionBy: partitionBy.map(expressionNode),
        orderBy: orderBy.map(expressionNode),
      }),
    );
  }
  filter(where: unknown): Expression {
    return new Expression(filterNode(this[NODE], expressionNode(where)));
  }

  #compare(operator: BinaryOperator, value: unknown): Expression {
    const left = this[NODE];
    return new Expression(binaryNode(operator, { left, right: operandNode(value, left) }));
  }
  #nullSafe(operator: 'distinct' | 'notDistinct', value: unknown): Expression {
    const left = this[NODE];
    const right = nodeOf(value) === undefined ? valueNode(value, left) : expressionNode(value);
    return new Expression(binaryNode(operator, { left, right }));
  }
  #compute(operator: BinaryOperator, value: unknown): Expression {
    const left = this[NODE];
    return new Expression(computedNode(operator, { left, right: operandNode(value, left) }, left.type));
  }
  #in(values: unknown, negated: boolean): Expression {
    const node = this[NODE];
    if (Array.isArray(values)) return new Expression(inListNode(node, listNode(values, node), negated));
    return new Expression(inQueryNode(node, queryOf(values), negated));
  }
  #literally([before, text, after]: readonly [string, unknown, string]): Expression {
    const pattern = `${before}${checkText(text).replace(/[\\%_]/g, '\\$&')}${after}`;
    return new Expression(likeNode(this[NODE], bindNode(encodeValue(TEXT, pattern), TEXT), false));
  }
}

/** An expression with a direction. */
class Ordering {
  readonly [NODE]: OrderNode;
  constructor(node: OrderNode) {
    this[NODE] = node;
  }
  nullsFirst(): OrderBy {
    return ordered(this[NODE].operand, this[NODE].direction, 'first');
  }
  nullsLast(): OrderBy {
    return ordered(this[NODE].operand, this[NODE].direction, 'last');
  }
}

function ordered(node: ExpressionNode, direction: OrderNode['direction'], nulls: OrderNode['nulls']): OrderBy {
  return new Ordering(orderNode(node, direction, nulls)) as unknown as OrderBy;
}

/** Nodes of those conditions that are there: `undefined` stands for "no condition". */
export function conditions(given: readonly unknown[]): ExpressionNode[] {
  return given.filter((one) => one !== undefined).map(expressionNode);
}

/** A label names a selected column; a second one replaces it. */
function unlabelled(node: ExpressionNode): ExpressionNode {
  return node.kind === 'label' ? node.operand : node;
}

/** The expression of a node, in its public type. */
export function expression<T>(node: ExpressionNode): Expr<T> {
  return new Expression(node) as unknown as Expr<T>;
}

/** The expression of a node under a name. */
export function labelled<T, K extends string>(node: ExpressionNode, name: K): Label<T, K> {
  return new Expression(labelNode(node, name)) as unknown as Label<T, K>;
}
