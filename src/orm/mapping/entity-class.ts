// The faces of mapped classes and of the base they come from.
import type { MetaData } from '../../schema/metadata.ts';
import type { Constraint } from '../../schema/constraint.ts';
import type { AnyEntity, Inst, Meta, SpecOf } from '../../sql/entity.ts';
import type { AnyExpr, Attrs, Expr } from '../../sql/expr.ts';
import type { FIELD, KIND, META, VALUE } from '../../sql/phantom.ts';
import type { Fields, Init, Spec } from './init-types.ts';

/** Every mapped instance has this (symbol-keyed: no reserved names on entities). */
export interface Entity {
  readonly [Symbol.unscopables]: EntityMark;
}
interface EntityMark {
  readonly [KIND]: 'entity';
}

/** SQL-side half of a hybrid; the instance half is a plain getter in the class body. */
export interface Hybrid<T> {
  readonly [KIND]: 'hybrid';
  readonly [FIELD]: T;
  readonly [VALUE]: T;
}
type HybridOf<X> = X extends Expr<infer T> ? Hybrid<T> : never;

/** What `Base.table()` gives: extend it once, `class User extends Base.table('users', {...}) {}`. */
export interface EntityClass<N extends string, S extends Spec, I> {
  new (init: Init<S>): I;
  /** Class-level attributes: columns, relations and hybrids. */
  readonly c: Attrs<N, S>;
  readonly [META]: Meta<N, S>;
  /** Joined-table inheritance: own table, keyed by the parent's key. Not built yet: throws `ATH_UNSUPPORTED`. */
  joined<B extends AnyEntity, N2 extends string, S2 extends Spec>(
    this: B,
    name: N2,
    columns: S2,
    opts?: { identity?: string },
  ): EntityClass<N2, SpecOf<B> & S2, Inst<B> & Fields<S2>>;
  /** Single-table inheritance. Not built yet: throws `ATH_UNSUPPORTED`. */
  single<B extends AnyEntity, N2 extends string, S2 extends Spec>(
    this: B,
    identity: N2,
    columns?: S2,
  ): EntityClass<N2, SpecOf<B> & S2, Inst<B> & Fields<S2>>;
}

// oxlint-disable-next-line typescript/no-explicit-any -- a mixin's constructor takes anything
type AnyInit = abstract new (...args: any[]) => any;

/** The class all entities of one {@link MetaData} descend from. */
export interface BaseClass {
  new (): Entity;
  /** The tables of all classes made from this base. */
  readonly metadata: MetaData;
  /** Maps a table: the class that extends what it returns is the mapped class. Throws `ATH_MAPPING`. */
  // oxlint-disable-next-line typescript/no-empty-object-type -- no hybrids
  table<B extends AnyInit, const N extends string, S extends Spec, H extends Record<string, AnyExpr> = {}>(
    this: B,
    name: N,
    columns: S,
    opts?: TableOptions<N, S, H>,
  ): EntityClass<N, S & { [K in keyof H]: HybridOf<H[K]> }, InstanceType<B> & Fields<S>>;
}

export interface TableOptions<N extends string, S extends Spec, H> {
  constraints?: (t: Attrs<N, S>) => readonly Constraint[];
  /** The SQL half of computed attributes, by name. */
  hybrids?: (t: Attrs<N, S>) => H;
  discriminator?: keyof S & string;
  identity?: string;
  /** Lets the loader build subclass instances it has not met yet. */
  subclasses?: Function;
  schema?: string;
}
