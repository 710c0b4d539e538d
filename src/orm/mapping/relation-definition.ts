// What a model writes for a relation: a target and a few options, all of them thunks, because the classes they name may
// not exist yet. Nothing is checked here; that is done when the mapper is first used.
import type { FIELD, KIND, TARGET, VALUE } from '../../sql/phantom.ts';
import type { Lazy, LazyList } from '../relations/lazy-types.ts';

/** What a change of one side does to the other. `'save-update'` is the default. */
export type Cascade = 'none' | 'save-update' | 'all' | 'all, delete-orphan';

export interface RelOptions {
  /** The foreign key columns, where there is more than one key to choose from. */
  by?: Function;
  /** The mapped class in between, of a many-to-many relation. */
  through?: Function;
  /** The columns on the other side, of a self-reference. */
  remote?: Function;
  /** The order of the list: an expression, or several. */
  orderBy?: Function;
  /** The name of the relation that is the other side of this one. It is found without, if there is only one. */
  backref?: string;
  cascade?: Cascade;
}

type Target<F> = F extends () => { readonly prototype: infer I } ? I : never;

/** `F` is the thunk itself (`() => typeof Address`); its return type is read only when a field is looked at. */
export interface Many<F> {
  readonly [KIND]: 'many';
  readonly [FIELD]: LazyList<Target<F>>;
  readonly [TARGET]: F;
  readonly [VALUE]: readonly Target<F>[];
}
export interface One<F> {
  readonly [KIND]: 'one';
  readonly [FIELD]: Lazy<Target<F>>;
  readonly [TARGET]: F;
  readonly [VALUE]: Target<F>;
}
export interface Maybe<F> {
  readonly [KIND]: 'maybe';
  readonly [FIELD]: Lazy<Target<F> | null>;
  readonly [TARGET]: F;
  readonly [VALUE]: Target<F> | null;
}

/** A relation as defined, before it is known which columns it goes by. */
export class RelationDefinition {
  readonly kind: 'many' | 'one' | 'maybe';
  readonly target: Function;
  readonly options: RelOptions;
  constructor(kind: 'many' | 'one' | 'maybe', target: Function, options: RelOptions) {
    this.kind = kind;
    this.target = target;
    this.options = options;
    Object.freeze(this);
  }
}

/** A list of related entities: those whose foreign key points here, or those linked `through` a class in between. */
export function many<F extends Function>(target: F, options: RelOptions = {}): Many<F> {
  return new RelationDefinition('many', target, options) as unknown as Many<F>;
}
/** One related entity, which is always there. */
export function one<F extends Function>(target: F, options: RelOptions = {}): One<F> {
  return new RelationDefinition('one', target, options) as unknown as One<F>;
}
/** One related entity, or `null`. */
export function maybe<F extends Function>(target: F, options: RelOptions = {}): Maybe<F> {
  return new RelationDefinition('maybe', target, options) as unknown as Maybe<F>;
}
