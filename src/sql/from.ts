// What can stand in FROM, as the small interfaces that tables, aliases, subqueries and mapped classes implement
// elsewhere: expressions and statements speak of these, so that the layers above need not be known here.
import type { ColumnType } from '../types/column-type.ts';

/** A class or object that stands for something in FROM says so under this key: `User[FROM]` is the element of its table. */
export const FROM: unique symbol = Symbol.for('athanor.from');

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

/** A column of a table, as statements that write need it. */
export interface TableColumn extends FromColumn {
  readonly nullable: boolean;
  readonly primaryKey: boolean;
}

export interface TableElement extends FromElement {
  readonly kind: 'table';
  readonly schema: string | undefined;
  readonly columns: readonly TableColumn[];
}
