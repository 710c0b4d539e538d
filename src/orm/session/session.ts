// The session: one conversation with the database. It knows each row as one object, notices what changed, and writes
// it in the right order. What it does is in session-core.ts; here is what it is called by.
import type { WaitOptions } from '../../engine/executor.ts';
import { Result, type RowForm, type StatementFacts } from '../../engine/result.ts';
import { NoResultError, NOT_TRANSFERABLE, StateError, type TransferGuard, transferGuard } from '../../errors/index.ts';
import type { AnyEntity, Inst, NameOf } from '../../sql/entity.ts';
import type { SelectNode } from '../../sql/expression-node.ts';
import type { LoaderOption, MergeLoads } from '../../sql/loader-option.ts';
import type { StatementNode } from '../../sql/node.ts';
import type { NODE, VALUE } from '../../sql/phantom.ts';
import { statementNode } from '../../sql/raw.ts';
import type { FirstOf, NamedOf, TupleOf } from '../../sql/rows.ts';
import type { Statement } from '../../sql/statement.ts';
import type { Scalar } from '../../types/wire.ts';
import { stateOf } from '../entity/entity-root.ts';
import type { EntityState } from '../entity/entity-state.ts';
import { identityKey, type IdentityKey } from '../entity/identity-key.ts';
import type { FlushPlan } from '../flush/flush-plan.ts';
import type { Entity } from '../mapping/entity-class.ts';
import type { PrimaryKey } from '../mapping/init-types.ts';
import type { Mapper } from '../mapping/mapper.ts';
import { loadOptions } from '../relations/loader-options.ts';
import { selectByKey } from './entity-select.ts';
import { keyScalars, mapperOfClass } from './key-argument.ts';
import { loadDeep, loadOptionsFor } from './loaded-options.ts';
import { mergeEntity } from './merge.ts';
import { NestedTransaction } from './nested-transaction.ts';
import { rowReaders } from './rows.ts';
import type { FlushOptions, SessionCore } from './session-core.ts';

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

const GUARD: TransferGuard = transferGuard(
  'A session',
  'Send the key of an entity and load it in a session of the other side, or hand over its data.',
);

export class Session {
  readonly [NOT_TRANSFERABLE]: TransferGuard = GUARD;
  readonly #core: SessionCore;
  #savepoints = 0;

  /** Made by a {@link SessionMaker}. */
  constructor(core: SessionCore) {
    this.#core = core;
  }

  /** Makes awaiting an unloaded relation an error, so that every load is asked for where entities are selected. */
  get strict(): boolean {
    return this.#core.strict;
  }
  set strict(value: boolean) {
    this.#core.strict = value;
  }
  get closed(): boolean {
    return this.#core.closed;
  }

  // Objects

  /** Takes new objects in, with all they are related to; they are written by the next flush. */
  add(...entities: Entity[]): void {
    this.#core.check('add');
    for (const entity of entities) this.#core.unit.add(entity);
  }
  addAll(entities: Iterable<Entity>): void {
    this.add(...entities);
  }
  /** Marks an entity to be deleted by the next flush. */
  delete(entity: Entity): void {
    this.#core.check('delete');
    this.#core.unit.delete(entity);
  }
  /** Lets an entity go: what changes in it from now on is not this session's business. */
  expunge(entity: Entity): void {
    this.#core.unit.expunge(entity);
  }
  /** Forgets the values of an entity, or of some of its columns: reading them is an error until it is refreshed. */
  expire(entity: Entity, keys?: readonly string[]): void {
    const state = this.#persistent(entity, 'expire');
    const indexes = keys?.map((key) => state.mapper.indexByKey.get(key)).filter((index) => index !== undefined);
    this.#core.unit.expire(state, indexes);
  }

  // Reading

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
  ): Result<NamedOf<A, N, L>, TupleOf<A, N, L>> {
    return new Result((form, facts) => this.#rows(statement, { form, facts }, options));
  }
  /** Runs a statement for the first thing of each row. */
  scalars<A, N, L>(statement: Statement<A, N, L, true>, options?: ExecuteOptions): Result<FirstOf<A, N, L>> {
    return new Result((_form, facts) => this.#rows(statement, { form: 'scalars', facts }, options));
  }

  /** Reads an entity again; what the row says overwrites what the object says, unsaved changes included. */
  async refresh(entity: Entity, options: ReadOptions = {}): Promise<void> {
    await this.#read('refresh', async () => {
      const state = this.#persistent(entity, 'refresh');
      const key = keyOf(state);
      const found = await this.#select(state.mapper, key, { ...options, overwrite: true, autoflush: false });
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
      const state = this.#persistent(entity, 'load');
      for (const option of loadOptions(options)) {
        await loadDeep(option, [state], (relation, states) => this.#core.loadRelation(relation, states));
      }
    });
    return entity as E & MergeLoads<O>[typeof VALUE];
  }

  /** Copies the columns of an entity of another session, or of none, onto this session's own. */
  async merge<E extends Entity>(entity: E): Promise<E> {
    const merged = await this.#read('merge', () =>
      mergeEntity(entity, this.#core.unit, (mapper, key) => this.#find(mapper, key, {})),
    );
    return merged as E;
  }

  // Writing

  /** What a flush would do now. Nothing is sent. */
  plan(options?: FlushOptions): FlushPlan {
    this.#core.check('plan');
    return this.#core.plan(options);
  }
  /** Writes what is pending. Throws `ATH_STALE_DATA` where a row is not what was read; then the transaction is rolled back. */
  flush(options?: FlushOptions): Promise<void> {
    return this.#alone('flush', async () => {
      this.#core.check('flush');
      await this.#core.flush(options);
    });
  }
  /** Flushes and commits. `overwrite` writes without comparing with what was read. */
  commit(options?: FlushOptions): Promise<void> {
    return this.#alone('commit', () => this.#core.commit(options));
  }
  /** Undoes the transaction, in the database and in memory. */
  rollback(options?: WaitOptions): Promise<void> {
    return this.#alone('rollback', () => this.#core.rollback(options));
  }
  /** Rolls back what is open and ends the session. Its entities stay readable. */
  close(): Promise<void> {
    return this.#alone('close', () => this.#core.close());
  }
  /** Runs `work` in this session's transaction: committed at the end, rolled back if it throws. */
  async begin<T>(work: (session: this) => Promise<T>, options?: FlushOptions): Promise<T> {
    this.#core.check('begin');
    if (this.#core.unit.depth > 0) {
      throw new StateError('begin(): a transaction has begun already, with the first statement.', {
        hint: 'Commit or roll back first, or use beginNested().',
      });
    }
    try {
      const value = await this.#core.executor.scope(() => work(this));
      await this.commit(options);
      return value;
    } catch (error) {
      await this.#core.queue.idle();
      if (!this.#core.closed) await this.rollback();
      throw error;
    }
  }
  /** A savepoint, after a flush of what is pending. */
  beginNested(options?: WaitOptions): Promise<NestedTransaction> {
    return this.#alone('beginNested', async () => {
      this.#core.check('beginNested');
      const name = `athanor_${++this.#savepoints}`;
      await this.#core.savepoint(name, options);
      return new NestedTransaction(this.#core, name);
    });
  }
  /** Runs `work` without flushing before its queries. */
  async noAutoflush<T>(work: () => T | Promise<T>): Promise<T> {
    const before = this.#core.autoflush;
    this.#core.autoflush = false;
    try {
      return await work();
    } finally {
      this.#core.autoflush = before;
    }
  }

  toJSON(): Record<string, unknown> {
    return GUARD.json(this.#status());
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    const { entities, pending, transaction, closed } = this.#status();
    return `Session { ${String(entities)} entities, ${String(pending)} new, ${closed === true ? 'closed' : transaction === true ? 'in a transaction' : 'no transaction'} }`;
  }
  /** Waits for reads that are under way, then closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#core.queue.idle();
    await this.close();
  }

  #status(): Record<string, unknown> {
    const { unit, executor, closed } = this.#core;
    let entities = 0;
    for (const store of unit.stores) entities += store.size;
    return { entities, pending: unit.pending.size, transaction: executor.inTransaction, closed };
  }

  #alone<T>(name: string, work: () => Promise<T>): Promise<T> {
    // A result asked for in this tick comes before what ends its transaction, or rather beside it, and is refused.
    Result.startPending();
    return this.#core.queue.alone(name, work);
  }
  #read<T>(name: string, work: () => Promise<T>): Promise<T> {
    return this.#core.queue.read(name, async () => {
      this.#core.check(name);
      return work();
    });
  }

  #persistent(entity: unknown, verb: string): EntityState {
    this.#core.check(verb);
    const state = this.#core.unit.own(entity, verb);
    if (state.owner === this.#core.unit && state.status === 'persistent') return state;
    throw new StateError(
      `${verb}(): the entity of ${state.mapper.name} has no row in this session; it is ${state.status}.`,
    );
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
        overwrite: options.forUpdate === true,
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
    options: ReadOptions & { readonly overwrite: boolean; readonly autoflush: boolean },
  ): Promise<EntityState | null> {
    const node = selectByKey(mapper, key, options.forUpdate === true);
    const { rows, shape } = await (options.autoflush ? this.#core.run(node, options) : this.#core.send(node, options));
    const made = rowReaders(shape, this.#core.unit, {
      overwrite: options.overwrite,
      readOnly: false,
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
      const { rows, shape, count } = await this.#core.run(node, options);
      wanted.facts.count = count;
      const select = node.kind === 'select' ? (node as SelectNode) : undefined;
      const made = rowReaders(shape, this.#core.unit, {
        // Locked rows and returned rows are newer than anything read before them.
        overwrite: options.populateExisting === true || select === undefined || select.lock !== undefined,
        readOnly: options.readOnly ?? this.#core.readOnly,
        frame: this.#core.begun(),
      });
      const values = made.rows(rows, wanted.form);
      if (select !== undefined && select.options.length > 0) {
        await loadOptionsFor(loadOptions(select.options), made.readers, (relation, states) =>
          this.#core.loadRelation(relation, states),
        );
      }
      return values;
    });
  }
}

interface Wanted {
  readonly form: RowForm;
  readonly facts: StatementFacts;
}

function keyOf(state: EntityState): readonly Scalar[] {
  const { mapper, baseline } = state;
  return mapper.primaryKey.map((index) => mapper.format.wire(baseline ?? [], index) ?? null);
}

function keyText(mapper: Mapper, key: unknown): string {
  return keyScalars(mapper, key).map(String).join(', ');
}
