// What a select builder has gathered, before it is known how its parts hang together.
import type {
  CompoundNode,
  ExpressionNode,
  JoinNode,
  LockNode,
  SelectItem,
  SelectNode,
  BindNode,
} from '../expression-node.ts';
import type { FromElement } from '../from.ts';
import type { LoaderOptionNode } from '../loader-option.ts';
import type { RelationExpression } from '../relation.ts';

/** A join as asked for: its condition may still have to be found. */
export interface JoinDraft {
  readonly kind: JoinNode['kind'];
  readonly target: FromElement | RelationExpression;
  readonly on: ExpressionNode | undefined;
}

export interface SelectDraft {
  readonly items: readonly SelectItem[];
  readonly distinct: boolean | readonly ExpressionNode[];
  readonly from: readonly FromElement[];
  readonly joins: readonly JoinDraft[];
  readonly where: readonly ExpressionNode[];
  readonly groupBy: readonly ExpressionNode[];
  readonly having: readonly ExpressionNode[];
  readonly compound: { readonly first: SelectNode; readonly rest: readonly CompoundNode[] } | undefined;
  readonly orderBy: readonly ExpressionNode[];
  readonly limit: BindNode | undefined;
  readonly offset: BindNode | undefined;
  readonly lock: LockNode | undefined;
  readonly with: readonly FromElement[];
  readonly options: readonly LoaderOptionNode[];
}

/** A select of `items` and nothing else yet. */
export function selectDraft(items: readonly SelectItem[]): SelectDraft {
  return {
    items,
    distinct: false,
    from: [],
    joins: [],
    where: [],
    groupBy: [],
    having: [],
    compound: undefined,
    orderBy: [],
    limit: undefined,
    offset: undefined,
    lock: undefined,
    with: [],
    options: [],
  };
}
