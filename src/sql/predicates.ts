// Conditions and values that belong to no single expression.
import { UsageError } from '../errors/index.ts';
import type { AnySelect, Expr } from './expr.ts';
import { conditions, expression } from './expression.ts';
import { caseNode, existsNode, logicalNode, notNode } from './expression-factory.ts';
import { expressionNode, literalNode, selectNode } from './operand.ts';

/** All of these hold. `undefined` is skipped; of none, true. */
export function and(...given: (Expr<boolean | null> | undefined)[]): Expr<boolean | null> {
  return expression(logicalNode('and', conditions(given)));
}

/** At least one of these holds. `undefined` is skipped; of none, false. */
export function or(...given: (Expr<boolean | null> | undefined)[]): Expr<boolean | null> {
  return expression(logicalNode('or', conditions(given)));
}

export function not(condition: Expr<boolean | null>): Expr<boolean | null> {
  return expression(notNode(expressionNode(condition)));
}

/** The select gives at least one row. */
export function exists(query: AnySelect): Expr<boolean> {
  return expression(existsNode(selectNode(query)));
}

/** A value as an expression, bound as a parameter. */
export function literal<const T>(value: T): Expr<T> {
  return expression(literalNode(value));
}

/** `CASE`: the value of the first condition that holds, or `otherwise`, or null. */
export function caseWhen<T, E = null>(
  whens: readonly (readonly [Expr<boolean | null>, T | Expr<T>])[],
  otherwise?: E | Expr<E>,
): Expr<T | E> {
  if (whens.length === 0) throw new UsageError('caseWhen() needs at least one condition.');
  const parts = whens.map(([when, value]) => ({ when: expressionNode(when), value: literalNode(value) }));
  return expression(caseNode(parts, otherwise === undefined ? undefined : literalNode(otherwise)));
}
