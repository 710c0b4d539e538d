// Loader options as select statements see them: opaque at run time, and in types a promise of what will be there.
import type { ROOT, VALUE } from './phantom.ts';

/** `R` is the owner it applies to, `X` what it adds to its instances. */
export interface LoaderOption<out R extends string, out X> {
  readonly [ROOT]: R;
  readonly [VALUE]: X;
}
// oxlint-disable-next-line typescript/no-explicit-any -- `unknown` would make the compiler resolve the other side
export type AnyLoaderOption = LoaderOption<string, any>;

/** Several options as one. Recursive over the list the user wrote, never over entities. */
export type MergeLoads<O> = O extends readonly [infer A extends AnyLoaderOption, ...infer B]
  ? B extends readonly []
    ? A
    : LoaderOption<A[typeof ROOT], A[typeof VALUE] & MergeLoads<B>[typeof VALUE]>
  : never;

/** What the orm puts into a select and reads out again. */
export interface LoaderOptionNode {
  readonly kind: 'loaderOption';
}
