// What a relation is to SQL: a target, and the condition that joins it. The orm makes relation attributes; joins and
// EXISTS are built from them here.
import type { ExpressionNode } from './expression-node.ts';
import type { FromElement } from './from.ts';
import { RELATION } from './phantom.ts';

/** The table in between, of a many-to-many relation. */
export interface SecondaryJoin {
  readonly from: FromElement;
  /** The condition between the table in between and the target; that of the relation is then between the owner and it. */
  on(secondary: FromElement, target: FromElement): ExpressionNode;
}

export interface RelationJoin {
  /** What the relation goes out from: the table of its class, or an alias of it. */
  readonly source: FromElement;
  readonly target: FromElement;
  /** The condition between the owner (`left`) and the target, or the table in between where there is one. */
  on(left: FromElement, right: FromElement): ExpressionNode;
  readonly secondary?: SecondaryJoin | undefined;
}

/** A relation attribute at run time: `User.c.addresses`. */
export interface RelationExpression {
  /** Called on use, for what it names may be defined later. Gives the same object each time. */
  readonly [RELATION]: () => RelationJoin;
}

export function isRelation(value: unknown): value is RelationExpression {
  return ((typeof value === 'object' && value !== null) || typeof value === 'function') && RELATION in value;
}
