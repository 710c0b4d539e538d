// The little that statements need to know of a mapped class or an alias of one.
import type { Attrs } from './expr.ts';
import type { META, OWNER, TARGET } from './phantom.ts';

export interface Meta<N extends string, S> {
  readonly name: N;
  readonly spec: S;
}
/** A mapped class, or a table: whatever can be selected whole. */
export interface AnyEntity {
  // oxlint-disable-next-line typescript/no-explicit-any -- the compiler skips a side that is `any`
  readonly prototype: any;
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  readonly [META]: { readonly name: string; readonly spec: any };
}
/** The instance type of a mapped class, or the row type of a table. */
export type Inst<C> = C extends { readonly prototype: infer I } ? I : never;
export type NameOf<E extends AnyEntity> = E[typeof META]['name'];
export type SpecOf<E extends AnyEntity> = E[typeof META]['spec'];

/** The same table under another name, for joining it to itself. */
export interface Alias<E extends AnyEntity, N extends string> {
  readonly [TARGET]: E;
  readonly [OWNER]: N;
  readonly c: Attrs<N, SpecOf<E>>;
}
// oxlint-disable-next-line typescript/no-explicit-any -- as above
export type AnyAlias = Alias<any, string>;
