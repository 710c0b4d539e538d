// What `new User({...})` takes, computed from the definitions: which keys are required, which are optional, and that a
// foreign key may be given as a value or as the related object.
import type { AnyEntity, SpecOf } from '../../sql/entity.ts';
import type { RelKind } from '../../sql/expr.ts';
import type { FIELD, FLAGS, Flat, KIND, VALUE } from '../../sql/phantom.ts';

/** What a definition may be. `any` members stop the compiler from resolving the source side. */
interface Def {
  readonly [KIND]: 'col' | 'derived' | 'hybrid' | RelKind;
  // oxlint-disable-next-line typescript/no-explicit-any -- `unknown` would make the compiler resolve the other side
  readonly [FIELD]: any;
}
/** The definitions of a class, by name. */
export type Spec = Record<string, Def>;

/** The fields of an instance. */
export type Fields<S extends Spec> = {
  -readonly [K in keyof S as S[K] extends { readonly [KIND]: 'hybrid' } ? never : K]: S[K][typeof FIELD];
};

/** How `new` treats a key: required, optional, a foreign key (required unless its relation is given) or not settable. */
type Need<D> = D extends { readonly [FLAGS]: infer F; readonly [FIELD]: infer T }
  ? 'computed' extends F
    ? 'no'
    : null extends T
      ? 'opt'
      : 'default' extends F
        ? 'opt'
        : 'fk' extends F
          ? 'pk' extends F
            ? 'req'
            : 'fk'
          : 'auto' extends F
            ? 'opt'
            : 'req'
  : D extends { readonly [KIND]: 'one' }
    ? 'one'
    : D extends { readonly [KIND]: RelKind }
      ? 'opt'
      : 'no';
type InitValue<D> = D extends { readonly [KIND]: RelKind; readonly [VALUE]: infer V }
  ? V
  : D extends { readonly [FIELD]: infer T }
    ? T
    : never;
type InitAs<S extends Spec, R, O> = Flat<
  { [K in keyof S as Need<S[K]> extends R ? K : never]: InitValue<S[K]> } & {
    [K in keyof S as Need<S[K]> extends O ? K : never]?: InitValue<S[K]>;
  }
>;
/** Argument of `new User({...})`: foreign keys by value, or the related objects in their place. */
export type Init<S extends Spec> =
  | InitAs<S, 'req' | 'fk', 'opt' | 'one'>
  | ('one' extends { [K in keyof S]: Need<S[K]> }[keyof S] ? InitAs<S, 'req' | 'one', 'opt' | 'fk'> : never);

/** Plain column data of an entity: what may cross a process boundary. */
export type Data<E extends AnyEntity> = Flat<{
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  [K in keyof SpecOf<E> as SpecOf<E>[K] extends { readonly [FLAGS]: any } ? K : never]: SpecOf<E>[K] extends {
    readonly [FIELD]: infer T;
  }
    ? T
    : never;
}>;
/** The argument of a class's constructor. */
// oxlint-disable-next-line typescript/no-explicit-any -- as above
export type New<E> = E extends { new (init: infer I): any } ? I : never;

type PkKey<S, K extends keyof S> = S[K] extends { readonly [FLAGS]: infer F } ? ('pk' extends F ? K : never) : never;
type PkFields<S> = { [K in keyof S as PkKey<S, K>]: S[K] extends { readonly [FIELD]: infer T } ? T : never };
type IsUnion<T, U = T> = T extends unknown ? ([U] extends [T] ? false : true) : never;
/** Scalar for a single-column key, an object for a composite one. */
export type PrimaryKey<E extends AnyEntity> =
  IsUnion<keyof PkFields<SpecOf<E>>> extends true
    ? Flat<PkFields<SpecOf<E>>>
    : PkFields<SpecOf<E>>[keyof PkFields<SpecOf<E>>];
