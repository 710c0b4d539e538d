// The engine room of a session: runs statements and flushes on an executor, keeps memory and transaction in step, and
// refuses to go on after a failure until it was rolled back. The public face is session.ts.
import type { Field } from '../../driver/driver.ts';
import type { CompileCache } from '../../dialect/compile-cache.ts';
import { NotLoadedError, PendingRollbackError, StateError } from '../../errors/index.ts';
import { FLUSH } from '../../engine/events/channels.ts';
import type { ExecuteOptions, Executor, WaitOptions } from '../../engine/executor.ts';
import { RowCollector } from '../../engine/row-collector.ts';
import { committedAnyway } from '../../engine/transaction-error.ts';
import type { SelectNode } from '../../sql/expression-node.ts';
import type { StatementNode } from '../../sql/node.ts';
import type { ResultShape } from '../../sql/result-shape.ts';
import type { Scalar } from '../../types/wire.ts';
import type { EntityState, ToManyValue } from '../entity/entity-state.ts';
import type { IdentityKey } from '../entity/identity-key.ts';
import { applyPlan } from '../flush/apply.ts';
import { followDeletes, followLoadedDeletes, takeOrphans } from '../flush/cascades.ts';
import { Collector } from '../flush/collect.ts';
import { collectLinks } from '../flush/collect-links.ts';
import { FlushPlan, planFlush } from '../flush/flush-plan.ts';
import { ShapeCache } from '../flush/row-change.ts';
import type { Returned } from '../flush/returned.ts';
import { endsUncounted, runPlan } from '../flush/run-plan.ts';
import { tracedPlan } from '../flush/traced-plan.ts';
import { type Mapper, mapperOfTable, type Relation } from '../mapping/mapper.ts';
import { loadRelation, type RelationSource } from '../relations/load-relation.ts';
import { EntityReader } from './entity-reader.ts';
import type { Frame } from './frame.ts';
import { RelationLoader } from './relation-loader.ts';
import { UnitOfWork } from './unit-of-work.ts';
import { WorkQueue } from './work-queue.ts';

export interface CoreOptions {
  readonly autoflush: boolean;
  readonly readOnly: boolean;
}

export interface FlushOptions extends WaitOptions {
  /** Write without comparing with what was read. */
  readonly overwrite?: boolean | undefined;
}

/** Statement rows as they came, and what they hold. */
export interface RawRows {
  readonly rows: Scalar[][];
  readonly shape: ResultShape;
  /** Rows affected or returned, where the database says. */
  readonly count: number | undefined;
}

/** The changes of one list that a flush has sent. */
interface SentLinks {
  readonly list: ToManyValue;
  readonly added: readonly object[];
  readonly removed: readonly object[];
}

/** Commands that cannot have changed a row. */
const HARMLESS: ReadonlySet<string> = new Set(['', 'SHOW', 'SET', 'LOCK TABLE']);

const EMPTY: FlushPlan = new FlushPlan([]);
const shapes = new ShapeCache();

export class SessionCore {
  readonly executor: Executor;
  readonly unit: UnitOfWork;
  readonly queue: WorkQueue = new WorkQueue();
  readonly readOnly: boolean;
  autoflush: boolean;
  isStrict: () => boolean = () => false;
  #closed = false;
  #failure: unknown;

  constructor(executor: Executor, options: CoreOptions) {
    this.executor = executor;
    this.autoflush = options.autoflush;
    this.readOnly = options.readOnly;
    const loader = new RelationLoader((relation, states) =>
      this.queue.read('await of a relation', () => this.loadRelation(relation, states)),
    );
    this.unit = new UnitOfWork((state, relation) => {
      if (!this.isStrict()) return loader.load(state, relation);
      const name = `${relation.owner.entityClass.name}.${relation.key}`;
      throw new NotLoadedError(`${name} is not loaded, and the session is strict: an await does not load it.`, {
        hint: `Ask for it where the entities are selected: options(selectinload(${name.replace('.', '.c.')})).`,
      });
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Throws where the session is closed or its transaction has failed. */
  check(name: string): void {
    if (this.#closed) throw new StateError(`${name}(): the session is closed.`, { hint: 'Open another: Session().' });
    if (this.#failure === undefined) return;
    const reason = this.#failure instanceof Error ? this.#failure.message : 'of another kind';
    throw new PendingRollbackError(
      `${name}(): the session's transaction was rolled back by an earlier error: ${reason}`,
      {
        cause: this.#failure,
        hint: 'await session.rollback() first, then do the work again.',
      },
    );
  }

  /** The state of an entity that has a row in this session. Throws `ATH_STATE` for any other. */
  persistent(entity: unknown, verb: string): EntityState {
    this.check(verb);
    const state = this.unit.own(entity, verb);
    if (state.owner === this.unit.owner && state.status === 'persistent') return state;
    throw new StateError(
      `${verb}(): the entity of ${state.mapper.name} has no row in this session; it is ${state.status}.`,
    );
  }

  /** The transaction's frame; it begins here, and on the server with the first statement. */
  begun(): Frame {
    return this.unit.frame ?? this.unit.push();
  }

  // Statements

  async run(node: StatementNode, options?: ExecuteOptions): Promise<RawRows> {
    if (this.autoflush) await this.#autoflush(node);
    return this.send(node, options);
  }

  async send(node: StatementNode, options?: ExecuteOptions): Promise<RawRows> {
    this.begun();
    const compiled = this.#compiled.get(node, options?.site);
    const answer = new RowCollector();
    await this.executor.submit([compiled.bind(node)], answer, options);
    if (node.kind !== 'select' && node.tables !== undefined) {
      for (const table of node.tables) {
        const mapper = mapperOfTable(table.table);
        if (mapper !== undefined) this.unit.wroteOver(mapper);
      }
    }
    const { received: rows, columns, completion } = answer;
    // Raw SQL does not say what it writes to, and a SELECT may write too, by a function or in its WITH.
    if (node.tables === undefined && !HARMLESS.has(completion?.command ?? '')) this.unit.wroteOverAll();
    return { rows, shape: compiled.result ?? plainShape(columns ?? []), count: completion?.count };
  }

  get #compiled(): CompileCache {
    return this.executor.compiled;
  }

  /** Writes what is pending if the statement could see it. */
  async #autoflush(node: StatementNode): Promise<void> {
    const { tables } = node;
    const mappers = tables === undefined ? undefined : new Set<Mapper>();
    for (const table of tables ?? []) {
      const mapper = mapperOfTable(table.table);
      if (mapper !== undefined) mappers?.add(mapper);
    }
    if (this.unit.hasChanges(mappers)) await this.flush();
  }

  // Relations

  async loadRelation(
    relation: Relation,
    states: readonly EntityState[],
    readOnly: boolean = this.readOnly,
  ): Promise<void> {
    await loadRelation(this.#relationSource({ flush: true, readOnly }), relation, states);
  }

  #relationSource({ flush, readOnly }: { readonly flush: boolean; readonly readOnly: boolean }): RelationSource {
    return {
      query: async (node: SelectNode) => (await (flush ? this.run(node) : this.send(node))).rows,
      reader: (mapper, start) =>
        new EntityReader(this.unit, { mapper, start, frame: this.begun() }, { overwrite: 'stale', readOnly }),
      fresh: (mapper: Mapper, key: IdentityKey) => {
        const state = this.unit.store(mapper).get(key);
        return state !== undefined && state.missing === undefined && this.unit.isFresh(state) ? state : undefined;
      },
    };
  }

  // Flush

  /** What a flush would do now, as far as it can be told without asking the database. */
  plan(options: FlushOptions = {}): FlushPlan {
    const changed = this.unit.changed();
    takeOrphans(this.unit, changed);
    if (this.unit.doomed.size > 0) followLoadedDeletes(this.unit);
    return this.#planNow(options);
  }

  #planNow(options: FlushOptions, changed: readonly EntityState[] = this.unit.changed()): FlushPlan {
    const { unit } = this;
    const added = [...unit.pending];
    const deleted = [...unit.doomed];
    const writable = deleted.length === 0 ? changed : changed.filter((state) => !unit.doomed.has(state));
    if (added.length + deleted.length + writable.length + unit.links.size === 0) return EMPTY;
    const collector = new Collector({
      shapes,
      isFresh: (state) => unit.isFresh(state),
      overwrite: options.overwrite === true,
    });
    const rows = collector.collect({ added, changed: writable, deleted });
    rows.push(...collectLinks(unit.links, collector, shapes));
    return planFlush(rows, shapes);
  }

  /** Writes what is pending. With `commit`, COMMIT goes along where that is safe; says whether it did. */
  async flush(options: FlushOptions & { readonly commit?: boolean } = {}): Promise<boolean> {
    const { unit } = this;
    let changed = unit.changed();
    if (changed.length + unit.pending.size + unit.doomed.size + unit.links.size === 0) return false;
    takeOrphans(unit, changed);
    if (unit.doomed.size > 0) {
      const source = this.#relationSource({ flush: false, readOnly: false });
      await followDeletes(unit, (relation, owners) => loadRelation(source, relation, owners));
      changed = unit.changed();
    }
    const plan = this.#planNow(options, changed);
    if (plan.steps.length === 0) return false;
    this.begun();
    const links = Array.from(unit.links, (list) => ({ list, added: [...list.added], removed: [...list.removed] }));
    const fused =
      options.commit === true && this.executor.dialect.capabilities.batchStopsOnServer && endsUncounted(plan);
    let returned: Returned | undefined;
    try {
      const { signal, timeout } = options;
      const how = { compiled: this.#compiled, signal, timeout, commit: fused };
      if (FLUSH.hasSubscribers) returned = await tracedPlan(plan, this.executor, how);
      else returned = await runPlan(plan, this.executor, how);
      applyPlan(plan, returned, unit);
    } catch (error) {
      await this.fail(fused && returned !== undefined ? committedAnyway(error) : error);
    }
    this.#flushed(links);
    if (fused) unit.committed();
    return fused;
  }

  /** What was changed back while the statements ran is to be changed back in the database too. */
  #flushed(links: readonly SentLinks[]): void {
    for (const { list, added, removed } of links) {
      for (const item of added) if (!list.added.delete(item)) list.removed.add(item);
      for (const item of removed) if (!list.removed.delete(item)) list.added.add(item);
      if (list.added.size + list.removed.size === 0) this.unit.links.delete(list);
    }
  }

  /** Undoes on the server and in memory what the failed work had begun, and throws its error. */
  async fail(error: unknown): Promise<never> {
    this.#failure = error;
    const savepoint = this.unit.frame?.savepoint;
    try {
      if (savepoint === undefined) await this.executor.rollback();
      else await this.executor.rollbackToSavepoint(savepoint);
    } catch {
      // The connection is gone, and the transaction with it; the first error says why.
    }
    this.unit.undo(savepoint === undefined ? undefined : 1);
    throw error;
  }

  // Transaction

  async commit(options: FlushOptions = {}): Promise<void> {
    this.check('commit');
    const { signal, timeout } = options;
    const begun = timeout === undefined ? 0 : performance.now();
    const fused = await this.flush({ ...options, commit: true });
    if (fused) return;
    try {
      const left = timeout === undefined ? undefined : timeout - (performance.now() - begun);
      await this.executor.commit({ signal, timeout: left });
    } catch (error) {
      this.#failure = error;
      this.unit.undo();
      throw error;
    }
    this.unit.committed();
  }

  async rollback(options: WaitOptions = {}): Promise<void> {
    if (this.#closed) throw new StateError('rollback(): the session is closed.');
    this.#failure = undefined;
    try {
      await this.executor.rollback(options);
    } finally {
      this.unit.undo();
    }
  }

  async savepoint(name: string, options?: WaitOptions): Promise<void> {
    await this.flush(options);
    this.begun();
    await this.executor.savepoint(name, options);
    this.unit.push(name);
  }

  /** Releases the innermost savepoint, which is `name`. */
  async release(name: string, options?: WaitOptions): Promise<void> {
    this.check('commit');
    this.#expect(name);
    await this.flush(options);
    await this.executor.releaseSavepoint(name, options);
    this.unit.released();
  }

  /** Back to the savepoint `name`, and through all within it. */
  async rollbackTo(name: string, options?: WaitOptions): Promise<void> {
    if (this.#failure !== undefined && this.unit.frame?.savepoint !== name) {
      // The flush that failed has undone this savepoint already.
      this.#failure = undefined;
      return;
    }
    this.#expect(name);
    this.#failure = undefined;
    await this.executor.rollbackToSavepoint(name, options);
    this.unit.undo(1);
  }

  #expect(name: string): void {
    if (this.unit.frame?.savepoint === name) return;
    throw new StateError('The savepoint is over, or another one inside it is still open.', {
      hint: 'Savepoints end in the opposite order of their beginning.',
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.executor.close();
    } finally {
      this.unit.releaseAll();
    }
  }
}

/** The shape of rows that only the server has described: those of raw SQL. */
function plainShape(columns: readonly Field[]): ResultShape {
  return { key: '', items: columns.map(({ name }, index) => ({ kind: 'value', key: name, index, type: undefined })) };
}
