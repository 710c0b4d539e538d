// From what was selected to the type of a row. Computed only where a statement is executed.
import type { AnyAlias, AnyEntity, Inst } from './entity.ts';
import type { AnyExpr, AnyRelAttr, AnySubquery } from './expr.ts';
import type { LoaderOption } from './loader-option.ts';
import type { Flat, KEY, META, OWNER, TARGET, VALUE } from './phantom.ts';

/** What can be selected. */
export type Item = AnyEntity | AnyAlias | AnyExpr;
/** What can stand in FROM or be joined. */
export type Source = AnyEntity | AnyAlias | AnySubquery | AnyRelAttr;

/** The name an outer join makes nullable. */
export type OwnerOf<X> = X extends { readonly [META]: { readonly name: infer N } }
  ? N
  : X extends { readonly [TARGET]: { readonly [TARGET]: () => infer C } }
    ? OwnerOf<C>
    : X extends { readonly [OWNER]: infer N }
      ? N
      : never;

/** Type of one selected thing; `N` = owners made nullable by outer joins; `L` = what loader options add. */
export type Out<X, N, L> = X extends { readonly [META]: { readonly name: infer O }; readonly prototype: infer I }
  ? With<I, O, L> | (O extends N ? null : never)
  : X extends { readonly [OWNER]: infer O; readonly [VALUE]: infer T }
    ? T | (O extends N ? null : never)
    : X extends { readonly [VALUE]: infer T }
      ? T
      : X extends { readonly [TARGET]: infer E; readonly [OWNER]: infer O }
        ? With<Inst<E>, O, L> | (O extends N ? null : never)
        : never;
export type With<I, O, L> = [L] extends [never]
  ? I
  : L extends LoaderOption<infer R, infer X>
    ? O extends R
      ? I & X
      : I
    : I;
type KeyOf<X> = X extends { readonly [META]: { readonly name: infer O extends string } }
  ? O
  : X extends { readonly [KEY]: infer K extends string }
    ? K
    : X extends { readonly [OWNER]: infer O extends string }
      ? O
      : never;

/** A row by position. */
// oxlint-disable-next-line typescript/no-explicit-any -- a constraint that must not resolve the other side
export type TupleOf<A, N, L> = A extends readonly any[]
  ? { -readonly [I in keyof A]: Out<A[I], N, L> }
  : { -readonly [K in keyof A]: Out<A[K], N, L> }[keyof A][];
/** A row by name. */
// oxlint-disable-next-line typescript/no-explicit-any -- as above
export type NamedOf<A, N, L> = A extends readonly any[]
  ? Flat<{ [I in keyof A & `${number}` as KeyOf<A[I]>]: Out<A[I], N, L> }>
  : Flat<{ -readonly [K in keyof A]: Out<A[K], N, L> }>;
/** The first thing of a row, as `scalars` gives it. */
// oxlint-disable-next-line typescript/no-explicit-any -- as above
export type FirstOf<A, N, L> = A extends readonly [infer X, ...any[]]
  ? Out<X, N, L>
  : // oxlint-disable-next-line typescript/no-explicit-any -- as above
    A extends readonly any[]
    ? never
    : Out<A[keyof A], N, L>;
