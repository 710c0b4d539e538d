// The half of a session that reads: by key, by statement, again, along relations. What it reads is in session-core.ts's
// memory afterwards; the other half, session.ts, writes.
import { TracedCall } from '../../engine/events/traced-call.ts';
import type { ExecuteOptions as EngineOptions, WaitOptions } from '../../engine/executor.ts';
import { Result, type RowForm, type StatementFacts } from '../../engine/result.ts';
import { resultSite } from '../../engine/result-watch.ts';
import { NoResultError } from '../../errors/index.ts';
import type { CallSite } from '../../primitives/call-site.ts';
import type { AnyEntity, Inst, NameOf } from '../../sql/entity.ts';
import type { SelectNode } from '../../sql/expression-node.ts';
import type { LoaderOption, MergeLoads } from '../../sql/loader-option.ts';
import type { StatementNode } from '../../sql/node.ts';
import type { NODE, VALUE } from '../../sql/phantom.ts';
import { type RawSql, statementNode } from '../../sql/raw.ts';
import type { FirstOf, NamedOf, TupleOf } from '../../sql/rows.ts';
import type { Statement } from '../../sql/statement.ts';
import type { Scalar } from '../../types/wire.ts';
import { stateOf } from '../entity/entity-root.ts';
import type { EntityState } from '../entity/entity-state.ts';
import { identityKey, type IdentityKey } from '../entity/identity-key.ts';
import type { Entity } from '../mapping/entity-class.ts';
import type { PrimaryKey } from '../mapping/init-types.ts';
import type { Mapper } from '../mapping/mapper.ts';
import { Query } from '../query-compat.ts';
import { loadOptions } from '../relations/loader-options.ts';
import type { Overwrite } from './entity-reader.ts';
import { selectByKey } from './entity-select.ts';
import { keyScalars, mapperOfClass } from './key-argument.ts';
import { loadDeep, loadOptionsFor } from './loaded-options.ts';
import { mergeEntity } from './merge.ts';
import { rowReaders } from './rows.ts';
import type { SessionCore } from './session-core.ts';
import { stateOfAny } from './unit-of-work.ts';

/** How `get` and `refresh` read. */
export interface ReadOptions extends WaitOptions {
  /** Lock the row until the transaction ends. */
  readonly forUpdate?: boolean | undefined;
}
/** How a statement runs in a session. */
export interface ExecuteOptions extends WaitOptions {
  /** The entities are not watched: faster to read, never written, not in the identity map. */
  readonly readOnly?: boolean | undefined;
  /** Rows overwrite what was read earlier in the same transaction. Entities with unsaved changes included. */
  readonly populateExisting?: boolean | undefined;
}

export class SessionReads {
  readonly #core: SessionCore;

  constructor(core: SessionCore) {
    this.#core = core;
  }

  /** The entity with this key, or `null`. Asks the database unless it was read in this transaction already. */
  get<E extends AnyEntity>(entity: E, key: PrimaryKey<E>, options?: ReadOptions): Promise<Inst<E> | null>;
  // oxlint-disable-next-line typescript/no-explicit-any -- the constraint must not resolve the other side
  get<E extends AnyEntity, const O extends readonly LoaderOption<NameOf<E>, any>[]>(
    entity: E,
    key: PrimaryKey<E>,
    options: ReadOptions & { load: O },
  ): Promise<(Inst<E> & MergeLoads<O>[typeof VALUE]) | null>;
  async get(
    entity: unknown,
    key: unknown,
    options: ReadOptions & { load?: readonly unknown[] } = {},
  ): Promise<unknown> {
    const state = await this.#read('get', () => this.#find(mapperOfClass(entity), key, options));
    return state === null ? null : state.entity;
  }

  /** The entity with this key. Throws `ATH_NO_RESULT` where there is none. */
  async getOne<E extends AnyEntity>(entity: E, key: PrimaryKey<E>, options?: ReadOptions): Promise<Inst<E>> {
    const found = await this.get(entity, key, options);
    if (found !== null) return found;
    const mapper = mapperOfClass(entity);
    throw new NoResultError(`${mapper.name} has no row with the key ${keyText(mapper, key)}.`);
  }

  /** Runs a statement; awaiting the result gives all rows as objects. */
  execute<A, N, L>(
    statement: Statement<A, N, L, true>,
    options?: ExecuteOptions,
  ): Result<NamedOf<A, N, L>, TupleOf<A, N, L>>;
  /** Raw SQL, whose rows are what the caller says they are. What is pending is written before it, whatever it reads. */
  execute<T>(statement: RawSql<T>, options?: ExecuteOptions): Result<T, unknown[]>;
  execute(statement: { readonly [NODE]: StatementNode }, options?: ExecuteOptions): Result<unknown, unknown[]> {
    // oxlint-disable-next-line typescript/unbound-method -- only its place in the stack counts
    const site = this.#site(SessionReads.prototype.execute);
    return new Result((form, facts) => this.#rows(statement, { form, facts, site }, options), site);
  }
  /** Runs a statement for the first thing of each row. */
  scalars<A, N, L>(statement: Statement<A, N, L, true>, options?: ExecuteOptions): Result<FirstOf<A, N, L>> {
    // oxlint-disable-next-line typescript/unbound-method -- as above
    const site = this.#site(SessionReads.prototype.scalars);
    return new Result((_form, facts) => this.#rows(statement, { form: 'scalars', facts, site }, options), site);
  }

  /** SQLAlchemy 1.x: `session.query(X).get(id)`. */
  query<E extends AnyEntity>(entity: E): Query<E> {
    return new Query(this, entity);
  }

  /** Reads an entity again; what the row says overwrites what the object says, unsaved changes included. */
  async refresh(entity: Entity, options: ReadOptions = {}): Promise<void> {
    await this.#read('refresh', async () => {
      const state = this.#core.persistent(entity, 'refresh');
      const key = keyOf(state);
      const found = await this.#select(state.mapper, key, { ...options, overwrite: 'all', autoflush: false });
      if (found !== state)
        throw new NoResultError(`The row of ${state.mapper.name} with the key ${key.join(', ')} is gone.`);
    });
  }

  /** Loads relations of an entity that is here already. */
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  async load<E extends Entity, const O extends readonly LoaderOption<string, any>[]>(
    entity: E,
    ...options: O
  ): Promise<E & MergeLoads<O>[typeof VALUE]> {
    await this.#read('load', async () => {
      const state = this.#core.persistent(entity, 'load');
      for (const option of loadOptions(options)) {
        await loadDeep(option, [state], (relation, states) => this.#core.loadRelation(relation, states));
      }
    });
    return entity as E & MergeLoads<O>[typeof VALUE];
  }

  /** Copies the columns of an entity of another session, or of none, onto this session's own. */
  async merge<E extends Entity>(entity: E): Promise<E> {
    const merged = await this.#read('merge', () =>
      mergeEntity(stateOfAny(entity, 'merge'), this.#core.unit, (mapper, key) => this.#find(mapper, key, {})),
    );
    return merged as E;
  }

  #site(above: (...args: never[]) => unknown): CallSite | undefined {
    return this.#core.executor.traced ? new TracedCall(above, 10) : resultSite(above);
  }

  #read<T>(name: string, work: () => Promise<T>): Promise<T> {
    return this.#core.queue.read(name, async () => {
      this.#core.check(name);
      return work();
    });
  }

  async #find(
    mapper: Mapper,
    key: unknown,
    options: ReadOptions & { load?: readonly unknown[] },
  ): Promise<EntityState | null> {
    const scalars = keyScalars(mapper, key);
    const { unit } = this.#core;
    const known = unit.store(mapper).get(identityKey(scalars) as IdentityKey);
    let state: EntityState | null = known ?? null;
    if (known !== undefined && unit.doomed.has(known)) return null;
    const usable =
      known !== undefined && known.missing === undefined && unit.isFresh(known) && options.forUpdate !== true;
    if (!usable) {
      state = await this.#select(mapper, scalars, {
        ...options,
        overwrite: options.forUpdate === true ? 'clean' : 'stale',
        autoflush: true,
      });
    }
    for (const option of loadOptions(options.load ?? [])) {
      if (state === null) break;
      await loadDeep(option, [state], (relation, states) => this.#core.loadRelation(relation, states));
    }
    return state;
  }

  async #select(
    mapper: Mapper,
    key: readonly Scalar[],
    options: ReadOptions & { readonly overwrite: Overwrite; readonly autoflush: boolean },
  ): Promise<EntityState | null> {
    const node = selectByKey(mapper, key, options.forUpdate === true);
    const { rows, shape } = await (options.autoflush ? this.#core.run(node, options) : this.#core.send(node, options));
    const made = rowReaders(shape, this.#core.unit, {
      overwrite: options.overwrite,
      readOnly: this.#core.readOnly,
      frame: this.#core.begun(),
    });
    const [entity] = made.rows(rows, 'scalars');
    return stateOf(entity) ?? null;
  }

  #rows(
    statement: { readonly [NODE]: StatementNode },
    wanted: Wanted,
    options: ExecuteOptions = {},
  ): Promise<unknown[]> {
    return this.#read('execute', async () => {
      const node = statementNode(statement);
      const { rows, shape, count } = await this.#core.run(node, traced(options, wanted.site));
      wanted.facts.count = count;
      const select = node.kind === 'select' ? (node as SelectNode) : undefined;
      const readOnly = options.readOnly ?? this.#core.readOnly;
      const made = rowReaders(shape, this.#core.unit, {
        overwrite: overwriteOf(select, options),
        readOnly,
        frame: this.#core.begun(),
      });
      const values = made.rows(rows, wanted.form);
      if (select !== undefined && select.options.length > 0) {
        await loadOptionsFor(loadOptions(select.options), made.readers, (relation, states) =>
          this.#core.loadRelation(relation, states, readOnly),
        );
      }
      return values;
    });
  }
}

interface Wanted {
  readonly form: RowForm;
  readonly facts: StatementFacts;
  readonly site: CallSite | undefined;
}

/** Locked rows and returned rows are newer than anything read before them. */
function overwriteOf(select: SelectNode | undefined, options: ExecuteOptions): Overwrite {
  if (options.populateExisting === true) return 'all';
  return select === undefined || select.lock !== undefined ? 'clean' : 'stale';
}

/** Who asked is told only where somebody listens. */
function traced(options: WaitOptions, site: CallSite | undefined): EngineOptions {
  return site === undefined ? options : { ...options, site };
}

function keyOf(state: EntityState): readonly Scalar[] {
  const { mapper, baseline } = state;
  return mapper.primaryKey.map((index) => mapper.format.wire(baseline ?? [], index) ?? null);
}

function keyText(mapper: Mapper, key: unknown): string {
  return keyScalars(mapper, key).map(String).join(', ');
}
