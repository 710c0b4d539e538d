// Many rows of one shape in one statement: what a flush and a multi-row insert are made of.
import type { Node, TableColumn, TableElement } from './from.ts';

/** A row is the values of `columns`. Rows come back in the order given. */
export interface BulkInsertNode {
  readonly kind: 'bulkInsert';
  readonly key: string;
  readonly table: TableElement;
  readonly columns: readonly TableColumn[];
  readonly returning: readonly TableColumn[];
}

/** What every row gets alike: an expression the server evaluates. Values in it are written into the text. */
export interface BulkConstant {
  readonly column: TableColumn;
  /** An `ExpressionNode`. */
  readonly value: Node;
}

/** A row is the new values of `set`, then `match` (the key), then the values `guard` columns had when read, compared null-safe. */
export interface BulkUpdateNode {
  readonly kind: 'bulkUpdate';
  readonly key: string;
  readonly table: TableElement;
  readonly set: readonly TableColumn[];
  readonly match: readonly TableColumn[];
  readonly guard: readonly TableColumn[];
  readonly returning: readonly TableColumn[];
  readonly constants?: readonly BulkConstant[] | undefined;
}

/** A row is `match`, then `guard`. */
export interface BulkDeleteNode {
  readonly kind: 'bulkDelete';
  readonly key: string;
  readonly table: TableElement;
  readonly match: readonly TableColumn[];
  readonly guard: readonly TableColumn[];
}

export type BulkNode = BulkInsertNode | BulkUpdateNode | BulkDeleteNode;
