// What can stand in FROM, as the small interfaces that tables, aliases, subqueries and mapped classes implement
// elsewhere: expressions and statements speak of these, so that the layers above need not be known here.
import type { ColumnType } from '../types/column-type.ts';

/** A class or object that stands for something in FROM says so under this key: `User[FROM]` is the element of its table. */
export const FROM: unique symbol = Symbol.for('athanor.from');

/** The least every node of a statement is: frozen data with a kind, and the key of its shape. */
export interface Node {
  readonly kind: string;
  /** Injective over shapes: values do not enter it, everything that changes the text does. */
  readonly key: string;
}

/** One column of something in FROM. */
export interface FromColumn {
  /** Its name in the database. */
  readonly name: string;
  /** Its name in TypeScript, and in rows. */
  readonly key: string;
  readonly type: ColumnType;
}

/** A table, alias, subquery or CTE. Identity of the object is identity in the statement. */
export interface FromElement {
  readonly kind: 'table' | 'alias' | 'subquery' | 'cte';
  /** The name columns are qualified by. */
  readonly name: string;
  /** Unique among shapes: two elements with the same key compile to the same text. */
  readonly key: string;
  readonly columns: readonly FromColumn[];
  /** The table below an alias; the element itself for a table. Absent for a subquery. */
  readonly table?: TableElement | undefined;
  /** The mapped class whose instances a row of this becomes, if selected whole. */
  readonly entity?: object | undefined;
}

/** Where a value comes from that the caller did not give. */
export type ColumnDefault =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'function'; readonly create: () => unknown }
  /** An `ExpressionNode`, evaluated by the server. */
  | { readonly kind: 'expression'; readonly expression: Node };

/** A column of a table, as statements that write need it. */
export interface TableColumn extends FromColumn {
  readonly nullable: boolean;
  readonly primaryKey: boolean;
  /** Filled in by the client at INSERT. */
  readonly default?: ColumnDefault | undefined;
  /** Filled in at UPDATE where the statement does not set it. */
  readonly onUpdate?: ColumnDefault | undefined;
  /** What the server fills in: an `ExpressionNode` that stands in the DDL. */
  readonly serverDefault?: Node | undefined;
  /** The server numbers the rows. */
  readonly autoincrement?: boolean | undefined;
  /** Counts the writes of its row. */
  readonly version?: boolean | undefined;
  /** The server computes it: never written. */
  readonly computed?: Node | undefined;
}

/** A foreign key, as a join needs it. Columns and target columns pair up. */
export interface ForeignKeyElement {
  readonly columns: readonly TableColumn[];
  /** Resolved on use: tables may refer to each other in a circle. */
  readonly target: () => { readonly table: TableElement; readonly columns: readonly TableColumn[] };
}

export interface TableElement extends FromElement {
  readonly kind: 'table';
  readonly schema: string | undefined;
  readonly columns: readonly TableColumn[];
  readonly foreignKeys: readonly ForeignKeyElement[];
}
