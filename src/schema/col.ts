// Column definitions as types. Each call of a chain gives one interface with changed parameters; none names its table,
// so that `Col<number, 'pk'>` is one type for the whole program.
import type { ColumnType } from '../types/column-type.ts';
import type { Expr } from '../sql/expr.ts';
import type { Brand, FIELD, FLAGS, KIND, TYPE, VALUE } from '../sql/phantom.ts';

export type Flag = 'pk' | 'fk' | 'auto' | 'default' | 'computed' | 'version';
export type OnDelete = 'cascade' | 'set null' | 'restrict';
export interface ReferenceOptions {
  onDelete?: OnDelete;
}

/** One column of a table: what it holds (`T`) and what is said of it (`F`). */
export interface Col<out T, out F extends Flag = never> {
  readonly [KIND]: 'col';
  readonly [FIELD]: T;
  readonly [FLAGS]: F;
  readonly [TYPE]: ColumnType;
  /** A single integer key is numbered by the database where none is given. */
  primaryKey(): Col<T, F | 'pk' | (T extends number | bigint ? 'auto' : never)>;
  nullable(): Col<T | null, F>;
  /** What a new row gets: a value or the result of a function, filled in here, or an expression, evaluated by the server. */
  default(value: T | Expr<T> | (() => T)): Col<T, F | 'default'>;
  /** What an update sets where it does not set the column itself. */
  onUpdate(value: Expr<T> | (() => T)): Col<T, F | 'default'>;
  /** `Function` on purpose: with a call signature here the compiler would infer the arrow's return type at once and close a cycle. */
  // oxlint-disable-next-line typescript/no-unsafe-function-type -- see above
  references(target: Function, opts?: ReferenceOptions): Col<T, F | 'fk'>;
  unique(): Col<T, F>;
  index(): Col<T, F>;
  /** The column's name in the database. */
  named(dbName: string): Col<T, F>;
  /** A type that no plain value of its kind is assignable to. */
  brand<B extends string>(): Col<T & Brand<B>, F>;
  /** The same column under a narrower type. */
  as<U>(): Col<U, F>;
  /** Computed by the database from other columns of the row. */
  // oxlint-disable-next-line typescript/no-unsafe-function-type -- see above
  computed(sql: Function): Col<T, F | 'computed'>;
  /** Counts the row's changes: a write of an older row is refused. */
  version(): Col<T, F | 'version' | 'default'>;
}

/** A foreign-key column whose type (brand included) is read from the target column, lazily, so mutual and self references are fine. */
export interface FkCol<F, out Fl extends Flag, out Null extends null = never> {
  readonly [KIND]: 'col';
  readonly [FIELD]: (F extends () => { readonly [VALUE]: infer T } ? T : never) | Null;
  readonly [FLAGS]: Fl;
  primaryKey(): FkCol<F, Fl | 'pk', Null>;
  nullable(): FkCol<F, Fl, null>;
  unique(): FkCol<F, Fl, Null>;
  index(): FkCol<F, Fl, Null>;
  named(dbName: string): FkCol<F, Fl, Null>;
}

/** A read-only field computed by a (correlated) SQL expression. */
export interface Derived<T> {
  readonly [KIND]: 'derived';
  readonly [FIELD]: T;
  readonly [FLAGS]: 'computed';
}
