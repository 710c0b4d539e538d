// `select(...)`: an immutable builder. Each call gives a new one; nothing is put together before it is executed.
import { CompileError, NOT_TRANSFERABLE, type TransferGuard, transferGuard, UsageError } from '../../errors/index.ts';
import { encodeValue } from '../../types/encode.ts';
import { COUNT } from '../../types/number-types.ts';
import { refuseValue } from '../../types/value-error.ts';
import type { AnyEntity } from '../entity.ts';
import type { AnyExpr, Expr, OrderBy } from '../expr.ts';
import { conditions, expression } from '../expression.ts';
import { bindNode, scalarQueryNode } from '../expression-factory.ts';
import type { BindNode, CompoundNode, LockMode, LockNode, SelectNode } from '../expression-node.ts';
import type { AnyLoaderOption, LoaderOptionNode, MergeLoads } from '../loader-option.ts';
import { expressionNode, fromOf, selectNode } from '../operand.ts';
import { type KIND, NODE } from '../phantom.ts';
import { isRelation } from '../relation.ts';
import type { FirstOf, Item, NamedOf, OwnerOf, Source } from '../rows.ts';
import { type JoinDraft, type SelectDraft, selectDraft } from './select-draft.ts';
import { makeSelect } from './select-factory.ts';
import { selectItems } from './select-item.ts';
import type { Statement } from '../statement.ts';
import { queryElement, recursiveElement, type Subquery, subqueryOf } from './subquery.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- loader options are not looked at
type AnyLoads = any;
// oxlint-disable-next-line typescript/no-explicit-any -- what a union or a step selects is not looked at
type AnyTypedSelect = Select<any, any, any>;
// oxlint-disable-next-line typescript/no-explicit-any -- as above
type AnyTypedSubquery = Subquery<any, string>;

/** How `forUpdate` locks. */
export interface LockOptions {
  readonly mode?: LockMode;
  readonly skipLocked?: boolean;
  readonly nowait?: boolean;
  /** Lock only the rows of this one. */
  readonly of?: AnyEntity;
}

/** `A` what is selected, `N` nullable owners, `L` loader options. Rows are computed only when executed. */
export interface Select<out A, out N extends string = never, out L = never> extends Statement<A, N, L, true> {
  readonly [KIND]: 'select';
  /** Adds conditions, all of which must hold. `undefined` is skipped. */
  where(...e: (Expr<boolean | null> | undefined)[]): this;
  orderBy(...e: (OrderBy | AnyExpr)[]): this;
  groupBy(...e: AnyExpr[]): this;
  having(...e: Expr<boolean | null>[]): this;
  limit(n: number): this;
  offset(n: number): this;
  distinct(...on: AnyExpr[]): this;
  /** Locks the rows until the transaction ends. */
  forUpdate(o?: LockOptions): this;
  selectFrom(s: Source): this;
  /** Without `on` the condition comes from the relation, or from the one foreign key there is. */
  join(s: Source, on?: Expr<boolean | null>): this;
  outerJoin<J extends Source>(s: J, on?: Expr<boolean | null>): Select<A, N | (OwnerOf<J> & string), L>;
  options<const O extends readonly AnyLoaderOption[]>(...o: O): Select<A, N, L | MergeLoads<O>>;
  with(...c: AnyTypedSubquery[]): this;
  union(q: AnyTypedSelect): this;
  unionAll(q: AnyTypedSelect): this;
  // `this`-generic, so that A and N stay out of the variance of the interface
  subquery<A2, N2 extends string, const K extends string>(
    this: Select<A2, N2, AnyLoads>,
    name: K,
  ): Subquery<NamedOf<A2, N2, never>, K>;
  cte<A2, N2 extends string, const K extends string>(
    this: Select<A2, N2, AnyLoads>,
    name: K,
  ): Subquery<NamedOf<A2, N2, never>, K>;
  recursive<A2, N2 extends string, const K extends string>(
    this: Select<A2, N2, AnyLoads>,
    name: K,
    step: (self: Subquery<NamedOf<A2, N2, never>, K>) => AnyTypedSelect,
  ): Subquery<NamedOf<A2, N2, never>, K>;
  /** The one value of the first row, as an expression. */
  scalar<A2, N2 extends string>(this: Select<A2, N2, AnyLoads>): Expr<FirstOf<A2, N2, never> | null>;
}

/** A select before FROM, order and conditions: entities, expressions, or an object that names them. */
export function select<E extends AnyEntity>(entity: E): Select<[E]>;
export function select<A extends readonly [Item, ...Item[]]>(...items: A): Select<A>;
export function select<A extends Record<string, Item>>(shape: A): Select<A>;
export function select(...items: unknown[]): unknown {
  return new SelectBuilder(selectDraft(selectItems(items)));
}

const GUARD: TransferGuard = transferGuard('A select', 'Send the values it is made of, and build it where it runs.');
const LOCK_MODES: ReadonlySet<string> = new Set<LockMode>(['update', 'no key update', 'share', 'key share']);

class SelectBuilder {
  readonly [NOT_TRANSFERABLE]: TransferGuard = GUARD;
  readonly #draft: SelectDraft;
  #node: SelectNode | undefined;

  constructor(draft: SelectDraft) {
    this.#draft = draft;
  }
  get [NODE](): SelectNode {
    this.#node ??= makeSelect(this.#draft);
    return this.#node;
  }
  toJSON(): Record<string, unknown> {
    return GUARD.json({});
  }

  where(...given: unknown[]): SelectBuilder {
    return this.#changed('where', { where: [...this.#draft.where, ...conditions(given)] });
  }
  orderBy(...given: unknown[]): SelectBuilder {
    return new SelectBuilder({ ...this.#draft, orderBy: [...this.#draft.orderBy, ...given.map(expressionNode)] });
  }
  groupBy(...given: unknown[]): SelectBuilder {
    return this.#changed('groupBy', { groupBy: [...this.#draft.groupBy, ...given.map(expressionNode)] });
  }
  having(...given: unknown[]): SelectBuilder {
    return this.#changed('having', { having: [...this.#draft.having, ...conditions(given)] });
  }
  limit(count: unknown): SelectBuilder {
    return new SelectBuilder({ ...this.#draft, limit: countNode('limit', count) });
  }
  offset(count: unknown): SelectBuilder {
    return new SelectBuilder({ ...this.#draft, offset: countNode('offset', count) });
  }
  distinct(...on: unknown[]): SelectBuilder {
    return this.#changed('distinct', { distinct: on.length === 0 ? true : on.map(expressionNode) });
  }
  forUpdate(options: LockOptions = {}): SelectBuilder {
    return this.#changed('forUpdate', { lock: lockNode(options) });
  }
  selectFrom(source: unknown): SelectBuilder {
    return this.#changed('selectFrom', { from: [...this.#draft.from, fromOf(source)] });
  }
  join(target: unknown, on?: unknown): SelectBuilder {
    return this.#join('inner', target, on);
  }
  outerJoin(target: unknown, on?: unknown): SelectBuilder {
    return this.#join('left', target, on);
  }
  options(...options: LoaderOptionNode[]): SelectBuilder {
    return new SelectBuilder({ ...this.#draft, options: [...this.#draft.options, ...options] });
  }
  with(...elements: unknown[]): SelectBuilder {
    return this.#changed('with', { with: [...this.#draft.with, ...elements.map(fromOf)] });
  }
  union(query: unknown): SelectBuilder {
    return this.#compound('union', query);
  }
  unionAll(query: unknown): SelectBuilder {
    return this.#compound('union all', query);
  }

  subquery(name: string): unknown {
    return subqueryOf(queryElement('subquery', name, this[NODE]));
  }
  cte(name: string): unknown {
    return subqueryOf(queryElement('cte', name, this[NODE]));
  }
  recursive(name: string, step: (self: AnyTypedSubquery) => unknown): unknown {
    return subqueryOf(recursiveElement(name, this[NODE], (self) => selectNode(step(subqueryOf(self)))));
  }
  scalar(): unknown {
    const node = this[NODE];
    const [item] = node.items;
    if (node.items.length !== 1 || item?.kind !== 'value') {
      throw new UsageError('scalar() needs a select of exactly one column.');
    }
    return expression(scalarQueryNode(node, item.node.type));
  }

  #join(kind: JoinDraft['kind'], target: unknown, on: unknown): SelectBuilder {
    const join: JoinDraft = {
      kind,
      target: isRelation(target) ? target : fromOf(target),
      on: on === undefined ? undefined : expressionNode(on),
    };
    return this.#changed('join', { joins: [...this.#draft.joins, join] });
  }
  #compound(operator: CompoundNode['operator'], given: unknown): SelectBuilder {
    const query = selectNode(given);
    const { compound, orderBy, limit, offset } = this.#draft;
    const bare = orderBy.length === 0 && limit === undefined && offset === undefined;
    if (query.items.length !== this.#draft.items.length) {
      throw new CompileError('Both parts of a union must select as many columns.');
    }
    const before = compound !== undefined && bare ? compound : { first: this[NODE], rest: [] };
    const items = before.first.items;
    return new SelectBuilder({
      ...selectDraft(items),
      compound: { first: before.first, rest: [...before.rest, { operator, query }] },
      options: this.#draft.options,
    });
  }
  #changed(method: string, change: Partial<SelectDraft>): SelectBuilder {
    if (this.#draft.compound !== undefined) {
      throw new UsageError(`${method}() after union() would be ambiguous.`, {
        hint: 'Call it on the parts, or make the union a subquery() first.',
      });
    }
    return new SelectBuilder({ ...this.#draft, ...change });
  }
}

/** LIMIT and OFFSET come from requests more often than anything else: only a whole number that is not negative will do. */
function countNode(column: string, count: unknown): BindNode {
  if (!Number.isSafeInteger(count) || (count as number) < 0) {
    try {
      return refuseValue('a safe integer that is not negative', count);
    } catch (cause) {
      throw new UsageError(`${column}: ${(cause as Error).message}`, { cause });
    }
  }
  return bindNode(encodeValue(COUNT, count), COUNT);
}

function lockNode(options: LockOptions): LockNode {
  const { mode = 'update', skipLocked = false, nowait = false, of } = options;
  if (!LOCK_MODES.has(mode)) throw new UsageError('forUpdate: unknown lock mode.');
  if (skipLocked && nowait) throw new UsageError('forUpdate: skipLocked and nowait exclude each other.');
  const wait = skipLocked ? 'skipLocked' : nowait ? 'nowait' : 'wait';
  return { mode, wait, of: of === undefined ? undefined : fromOf(of) };
}
