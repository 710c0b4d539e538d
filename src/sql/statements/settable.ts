// What may be written to a table, as types.
import type { AnyEntity, SpecOf } from '../entity.ts';
import type { Expr } from '../expr.ts';
import type { FIELD, FLAGS, INIT } from '../phantom.ts';

/** A row for INSERT: what the class's constructor takes, or what the table says. */
export type InsertValues<E> = E extends {
  // oxlint-disable-next-line typescript/no-explicit-any -- what it constructs is not looked at
  new (init: infer I): any;
}
  ? I
  : E extends { readonly [INIT]: infer I }
    ? I
    : never;

/** Assignments for UPDATE: a value or an expression for each column that is not computed. */
export type Settable<S> = {
  -readonly [K in keyof S as S[K] extends { readonly [FLAGS]: infer F }
    ? 'computed' extends F
      ? never
      : K
    : never]?: S[K] extends { readonly [FIELD]: infer T } ? T | Expr<T> : never;
};
export type SetOf<E> = E extends AnyEntity ? Settable<SpecOf<E>> : never;
