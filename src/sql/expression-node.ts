// The nodes of SQL expressions and queries: plain frozen data, told apart by `kind`. Compilers switch over them; only
// the factories beside this file make them.
import type { ColumnType } from '../types/column-type.ts';
import type { Scalar } from '../types/wire.ts';
import type { FromColumn, FromElement, Node } from './from.ts';
import type { LoaderOptionNode } from './loader-option.ts';
import type { StatementNode } from './node.ts';
import type { BinaryOperator } from './operators.ts';

/** What lies inside nested queries: needed to know which tables a statement touches, and which subqueries are the same object. */
export interface Reach {
  /** In the order met. */
  readonly elements: readonly FromElement[];
  /** Raw SQL is among it: it may touch anything. */
  readonly raw: boolean;
}

interface ExpressionBase extends Node {
  /** How its value is written and read; `undefined` where nobody knows. */
  readonly type: ColumnType | undefined;
  /** The elements whose columns it uses itself. Nested queries bring their own FROM. */
  readonly froms: readonly FromElement[];
  readonly reach: Reach | undefined;
}

export interface ColumnNode extends ExpressionBase {
  readonly kind: 'column';
  readonly from: FromElement;
  readonly column: FromColumn;
}
/** A value sent beside the text. */
export interface BindNode extends ExpressionBase {
  readonly kind: 'bind';
  readonly value: Scalar;
  /** Nothing around it tells the server its type. */
  readonly bare: boolean;
}
export interface ConstantNode extends ExpressionBase {
  readonly kind: 'constant';
  readonly name: 'null' | 'true' | 'false';
}
export interface BinaryNode extends ExpressionBase {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly left: ExpressionNode;
  readonly right: ExpressionNode;
}
export interface LogicalNode extends ExpressionBase {
  readonly kind: 'logical';
  readonly operator: 'and' | 'or';
  readonly items: readonly ExpressionNode[];
}
export interface NotNode extends ExpressionBase {
  readonly kind: 'not';
  readonly operand: ExpressionNode;
}
export interface NullTestNode extends ExpressionBase {
  readonly kind: 'nullTest';
  readonly operand: ExpressionNode;
  readonly negated: boolean;
}
export interface BetweenNode extends ExpressionBase {
  readonly kind: 'between';
  readonly operand: ExpressionNode;
  readonly low: ExpressionNode;
  readonly high: ExpressionNode;
}
/** The values are one array: lists of any length share a text. */
export interface InListNode extends ExpressionBase {
  readonly kind: 'inList';
  readonly operand: ExpressionNode;
  readonly values: BindNode;
  readonly negated: boolean;
}
export interface InQueryNode extends ExpressionBase {
  readonly kind: 'inQuery';
  readonly operand: ExpressionNode;
  readonly query: SelectNode;
  readonly negated: boolean;
}
export interface LikeNode extends ExpressionBase {
  readonly kind: 'like';
  readonly operand: ExpressionNode;
  readonly pattern: ExpressionNode;
  readonly insensitive: boolean;
}
export interface FunctionNode extends ExpressionBase {
  readonly kind: 'function';
  /** Lower case, as SQL knows it, or a name only dialects know (`now`). */
  readonly name: string;
  readonly args: readonly ExpressionNode[];
  /** `count(*)`. */
  readonly star: boolean;
}
export interface OverNode extends ExpressionBase {
  readonly kind: 'over';
  readonly operand: ExpressionNode;
  readonly partitionBy: readonly ExpressionNode[];
  readonly orderBy: readonly ExpressionNode[];
}
export interface FilterNode extends ExpressionBase {
  readonly kind: 'filter';
  readonly operand: ExpressionNode;
  readonly where: ExpressionNode;
}
export interface CastNode extends ExpressionBase {
  readonly kind: 'cast';
  readonly operand: ExpressionNode;
  readonly type: ColumnType;
}
export interface CaseNode extends ExpressionBase {
  readonly kind: 'case';
  readonly whens: readonly { readonly when: ExpressionNode; readonly value: ExpressionNode }[];
  readonly otherwise: ExpressionNode | undefined;
}
export interface LabelNode extends ExpressionBase {
  readonly kind: 'label';
  readonly operand: ExpressionNode;
  readonly name: string;
}
export interface OrderNode extends ExpressionBase {
  readonly kind: 'order';
  readonly operand: ExpressionNode;
  readonly direction: 'asc' | 'desc';
  readonly nulls: 'first' | 'last' | undefined;
}
export interface ScalarQueryNode extends ExpressionBase {
  readonly kind: 'scalarQuery';
  readonly query: SelectNode;
}
export interface ExistsNode extends ExpressionBase {
  readonly kind: 'exists';
  readonly query: SelectNode;
}
/** Text the user wrote; `strings` has one more entry than `parts`. */
export interface RawNode extends ExpressionBase {
  readonly kind: 'raw';
  readonly strings: readonly string[];
  readonly parts: readonly (ExpressionNode | TableNameNode)[];
}
/** The name of a table inside raw SQL. */
export interface TableNameNode extends Node {
  readonly kind: 'tableName';
  readonly from: FromElement;
}
/** A member of a JSON value. */
export interface PathNode extends ExpressionBase {
  readonly kind: 'path';
  readonly operand: ExpressionNode;
  /** An array of one text. */
  readonly path: BindNode;
}

export type ExpressionNode =
  | ColumnNode
  | BindNode
  | ConstantNode
  | BinaryNode
  | LogicalNode
  | NotNode
  | NullTestNode
  | BetweenNode
  | InListNode
  | InQueryNode
  | LikeNode
  | FunctionNode
  | OverNode
  | FilterNode
  | CastNode
  | CaseNode
  | LabelNode
  | OrderNode
  | ScalarQueryNode
  | ExistsNode
  | RawNode
  | PathNode;

/** One selected thing. */
export type SelectItem =
  | { readonly kind: 'value'; readonly key: string; readonly named: boolean; readonly node: ExpressionNode }
  | {
      readonly kind: 'entity';
      readonly key: string;
      readonly from: FromElement;
      readonly columns: readonly FromColumn[];
    };

export interface JoinNode {
  readonly kind: 'inner' | 'left';
  readonly from: FromElement;
  readonly on: ExpressionNode;
}

export interface LockNode {
  readonly mode: LockMode;
  readonly wait: 'wait' | 'skipLocked' | 'nowait';
  readonly of: FromElement | undefined;
}
export type LockMode = 'update' | 'no key update' | 'share' | 'key share';

export interface CompoundNode {
  readonly operator: 'union' | 'union all';
  readonly query: SelectNode;
}

export interface SelectNode extends StatementNode {
  readonly kind: 'select';
  readonly items: readonly SelectItem[];
  /** `true`, or what DISTINCT ON names. */
  readonly distinct: boolean | readonly ExpressionNode[];
  /** Named by the caller. */
  readonly from: readonly FromElement[];
  /** Found in expressions; those that an enclosing query has are its, not ours. */
  readonly implicit: readonly FromElement[];
  readonly joins: readonly JoinNode[];
  readonly where: ExpressionNode | undefined;
  readonly groupBy: readonly ExpressionNode[];
  readonly having: ExpressionNode | undefined;
  /** UNION: this query's items, FROM and WHERE are those of `first`; order and limit are of the whole. */
  readonly compound: { readonly first: SelectNode; readonly rest: readonly CompoundNode[] } | undefined;
  readonly orderBy: readonly ExpressionNode[];
  readonly limit: BindNode | undefined;
  readonly offset: BindNode | undefined;
  readonly lock: LockNode | undefined;
  /** Common table expressions to declare even where nothing selects from them. */
  readonly with: readonly FromElement[];
  /** Opaque here: the orm's. */
  readonly options: readonly LoaderOptionNode[];
  readonly reach: Reach;
}

/** A subquery or common table expression in FROM. */
export interface QueryElement extends FromElement {
  readonly kind: 'subquery' | 'cte';
  /** Absent inside its own recursive step, where it is only a name. */
  readonly query: SelectNode | undefined;
  /** The recursive part, added by UNION ALL. */
  readonly step: SelectNode | undefined;
}

export interface Assignment {
  readonly column: FromColumn;
  readonly value: ExpressionNode;
}

export interface ConflictNode {
  readonly target: readonly FromColumn[];
  /** Empty: do nothing. */
  readonly set: readonly Assignment[];
}

/** Where the rows of an INSERT come from. */
export type InsertSource =
  /** Scalars in the order of the columns, as many rows as there are. */
  | { readonly kind: 'rows'; readonly rows: readonly (readonly Scalar[])[] }
  /** Rows with expressions in them, or lacking columns others have: `undefined` is the column's default. */
  | { readonly kind: 'values'; readonly rows: readonly (readonly (ExpressionNode | undefined)[])[] }
  | { readonly kind: 'query'; readonly query: SelectNode };

export interface InsertNode extends StatementNode {
  readonly kind: 'insert';
  readonly table: FromElement;
  readonly columns: readonly FromColumn[];
  readonly source: InsertSource;
  readonly conflict: ConflictNode | undefined;
  readonly returning: readonly SelectItem[];
}

export interface UpdateNode extends StatementNode {
  readonly kind: 'update';
  readonly table: FromElement;
  readonly set: readonly Assignment[];
  readonly implicit: readonly FromElement[];
  readonly where: ExpressionNode | undefined;
  readonly returning: readonly SelectItem[];
}

export interface DeleteNode extends StatementNode {
  readonly kind: 'delete';
  readonly table: FromElement;
  readonly implicit: readonly FromElement[];
  readonly where: ExpressionNode | undefined;
  readonly returning: readonly SelectItem[];
}

/** A statement the user wrote as text. */
export interface TextNode extends StatementNode {
  readonly kind: 'text';
  readonly raw: RawNode;
}

/** Every statement there is. */
export type AnyStatementNode = SelectNode | InsertNode | UpdateNode | DeleteNode | TextNode;
