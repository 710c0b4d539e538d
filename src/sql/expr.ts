// The public faces of SQL expressions. They say only what selects, columns and relations have to look like, so that
// those can be declared elsewhere without a circle.
import type { ColumnType } from '../types/column-type.ts';
import type { FIELD, KEY, KIND, NAMED, OWNER, TARGET, TYPE, VALUE } from './phantom.ts';

export type NN<T> = NonNullable<T>;
export type Nul<T> = T & null;
/** A value of the same type, or an expression that gives one. */
export type Operand<T> = NN<T> | Expr<T> | Expr<T | null>;

/** The smallest shapes for `this` checks: one property compared, short errors. */
export interface TextExpr {
  readonly [VALUE]: string | null;
}
export interface NumberExpr {
  readonly [VALUE]: number | bigint | null;
}
export interface BoolExpr {
  readonly [VALUE]: boolean | null;
}

/** A select, as expressions see it. */
export interface AnySelect {
  readonly [KIND]: 'select';
}
/** A subquery or common table expression, as expressions see it. */
export interface AnySubquery {
  readonly [NAMED]: unknown;
  readonly [OWNER]: string;
}
/** What a cast aims at: a column definition. */
export interface CastTarget<out U> {
  readonly [FIELD]: U;
  readonly [TYPE]: ColumnType;
}

/** An SQL expression whose value is a `T`. */
export interface Expr<out T> {
  readonly [VALUE]: T;
  eq(v: NN<T> | Expr<T | null>): Expr<boolean | Nul<T>>;
  ne(v: NN<T> | Expr<T | null>): Expr<boolean | Nul<T>>;
  lt(v: NN<T> | Expr<T | null>): Expr<boolean | Nul<T>>;
  le(v: NN<T> | Expr<T | null>): Expr<boolean | Nul<T>>;
  gt(v: NN<T> | Expr<T | null>): Expr<boolean | Nul<T>>;
  ge(v: NN<T> | Expr<T | null>): Expr<boolean | Nul<T>>;
  between(a: NN<T> | Expr<T | null>, b: NN<T> | Expr<T | null>): Expr<boolean | Nul<T>>;
  in(v: readonly NN<T>[] | AnySelect | AnySubquery): Expr<boolean | Nul<T>>;
  notIn(v: readonly NN<T>[] | AnySelect | AnySubquery): Expr<boolean | Nul<T>>;
  isNull(): Expr<boolean>;
  isNotNull(): Expr<boolean>;
  /** Unequal, `null` counting as a value of its own. */
  isDistinctFrom(v: T | Expr<T | null>): Expr<boolean>;
  /** Equal, `null` counting as a value of its own. */
  isNotDistinctFrom(v: T | Expr<T | null>): Expr<boolean>;
  /** `%` and `_` are wild, a backslash before them takes that away. */
  like(this: TextExpr, p: string | Expr<string | null>): Expr<boolean | Nul<T>>;
  ilike(this: TextExpr, p: string | Expr<string | null>): Expr<boolean | Nul<T>>;
  /** The text begins with exactly these characters: nothing in them is wild. */
  startsWith(this: TextExpr, p: string): Expr<boolean | Nul<T>>;
  /** The text ends with exactly these characters. */
  endsWith(this: TextExpr, p: string): Expr<boolean | Nul<T>>;
  /** The text contains exactly these characters. */
  contains(this: TextExpr, p: string): Expr<boolean | Nul<T>>;
  concat(this: TextExpr, ...p: (string | Expr<string | null>)[]): Expr<string | Nul<T>>;
  plus(this: NumberExpr, v: NN<T> | Expr<T | null>): Expr<T>;
  minus(this: NumberExpr, v: NN<T> | Expr<T | null>): Expr<T>;
  times(this: NumberExpr, v: NN<T> | Expr<T | null>): Expr<T>;
  div(this: NumberExpr, v: NN<T> | Expr<T | null>): Expr<T>;
  and(this: BoolExpr, ...v: Expr<boolean | null>[]): Expr<boolean | null>;
  or(this: BoolExpr, ...v: Expr<boolean | null>[]): Expr<boolean | null>;
  not(this: BoolExpr): Expr<boolean | Nul<T>>;
  /** A member of a JSON value. The key is always a key, never a path expression. */
  path<P extends keyof NN<T> & string>(key: P): Expr<NN<T>[P] | Nul<T>>;
  cast<U>(type: CastTarget<U>): Expr<U | Nul<T>>;
  asc(): OrderBy;
  desc(): OrderBy;
  label<K extends string>(name: K): Label<T, K>;
  over(w: { partitionBy?: readonly AnyExpr[]; orderBy?: readonly (OrderBy | AnyExpr)[] }): Expr<T>;
  filter(e: Expr<boolean | null>): Expr<T>;
}

// oxlint-disable-next-line typescript/no-explicit-any -- `unknown` would make the compiler resolve the other side
export type AnyExpr = Expr<any>;

/** An expression with a direction, for ORDER BY. */
export interface OrderBy {
  readonly [KIND]: 'order';
  nullsFirst(): OrderBy;
  nullsLast(): OrderBy;
}
/** An expression with a name in result rows. */
export interface Label<out T, out K extends string> extends Expr<T> {
  readonly [KEY]: K;
}
/** A column: value, name in rows, and owner, for what an outer join makes nullable. */
export interface Attr<out T, out K extends string, out N extends string> extends Label<T, K> {
  readonly [OWNER]: N;
}
// oxlint-disable-next-line typescript/no-explicit-any -- as above
export type AnyAttr = Attr<any, string, string>;
/** A relation seen from the class. */
export interface RelAttr<out D, out K extends string, out N extends string> {
  readonly [TARGET]: D;
  readonly [KEY]: K;
  readonly [OWNER]: N;
  /** Whether at least one related row exists (for which `e` holds). */
  any(e?: Expr<boolean | null>): Expr<boolean>;
  none(e?: Expr<boolean | null>): Expr<boolean>;
}
// oxlint-disable-next-line typescript/no-explicit-any -- as above
export type AnyRelAttr = RelAttr<any, string, string>;

export type RelKind = 'many' | 'one' | 'maybe';
type AttrOf<D, K, N extends string> = D extends { readonly [KIND]: RelKind }
  ? RelAttr<D, K & string, N>
  : D extends { readonly [FIELD]: infer T }
    ? Attr<T, K & string, N>
    : never;
/** What stands under `.c`: an attribute for each definition. */
export type Attrs<N extends string, S> = { readonly [K in keyof S]: AttrOf<S[K], K, N> };
/** What stands under `.c` of a subquery: an attribute for each column of its rows. */
export type RowAttrs<R, N extends string> = { readonly [K in keyof R]: Attr<R[K], K & string, N> };
