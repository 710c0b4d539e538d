// What `options(...)` of a select takes: relations to load with it. Here they are only written down; what they become
// is decided when the select runs.
import { UsageError } from '../../errors/index.ts';
import type { RelAttr } from '../../sql/expr.ts';
import type { FromElement } from '../../sql/from.ts';
import type { AnyLoaderOption, LoaderOption, LoaderOptionNode, MergeLoads } from '../../sql/loader-option.ts';
import type { META, TARGET, VALUE } from '../../sql/phantom.ts';
import { RelationAttribute } from '../mapping/attributes.ts';
import type { Relation } from '../mapping/mapper.ts';
import type { Many, Maybe, One } from '../mapping/relation-definition.ts';

type Target<F> = F extends () => { readonly prototype: infer I } ? I : never;
type RelName<D> = D extends { readonly [TARGET]: () => { readonly [META]: { readonly name: infer N } } } ? N : never;
type LoadedRel<D, X> =
  D extends Many<infer F>
    ? readonly (Target<F> & X)[]
    : D extends One<infer F>
      ? Target<F> & X
      : D extends Maybe<infer F>
        ? (Target<F> & X) | null
        : never;

/** Loads a relation with the entities of a select; `nested` options apply to what it loads. */
export interface Loader {
  <D, K extends string, N extends string>(
    rel: RelAttr<D, K, N>,
  ): LoaderOption<N, { readonly [P in K]: LoadedRel<D, unknown> }>;
  // oxlint-disable-next-line typescript/no-explicit-any -- the constraint must not resolve the other side
  <D, K extends string, N extends string, const O extends readonly LoaderOption<RelName<D> & string, any>[]>(
    rel: RelAttr<D, K, N>,
    ...nested: O
  ): LoaderOption<N, { readonly [P in K]: LoadedRel<D, MergeLoads<O>[typeof VALUE]> }>;
}

/** A loader option as the session reads it. */
export class LoadOption implements LoaderOptionNode {
  readonly kind = 'loaderOption';
  readonly strategy: 'selectin' | 'joined';
  readonly nested: readonly LoadOption[];
  readonly #attribute: RelationAttribute;
  constructor(strategy: 'selectin' | 'joined', attribute: unknown, nested: readonly unknown[]) {
    if (!(attribute instanceof RelationAttribute)) {
      throw new UsageError('A loader takes a relation of a mapped class: selectinload(User.c.addresses).');
    }
    this.strategy = strategy;
    this.#attribute = attribute;
    this.nested = loadOptions(nested);
  }
  get relation(): Relation {
    return this.#attribute.relation;
  }
  /** The table or alias whose entities it is for. */
  get source(): FromElement {
    return this.#attribute.from;
  }
}

/** Throws `ATH_USAGE` for anything that is no loader option. */
export function loadOptions(given: readonly unknown[]): readonly LoadOption[] {
  return given.map((option) => {
    if (option instanceof LoadOption) return option;
    throw new UsageError('options() takes loader options: selectinload(User.c.addresses).');
  });
}

function loader(strategy: LoadOption['strategy']): Loader {
  return ((relation: unknown, ...nested: AnyLoaderOption[]) =>
    new LoadOption(strategy, relation, nested)) as unknown as Loader;
}

/** Loads the relation by a second SELECT with the keys of the first: the best choice for lists. */
export const selectinload: Loader = loader('selectin');
/** Loads the relation with the entities themselves. For now by the same second SELECT that `selectinload` sends. */
export const joinedload: Loader = loader('joined');
