// The session: one conversation with the database. It knows each row as one object, notices what changed, and writes
// it in the right order. What it does is in session-core.ts; here is what it is called by.
import type { WaitOptions } from '../../engine/executor.ts';
import { Result } from '../../engine/result.ts';
import { NOT_TRANSFERABLE, StateError, type TransferGuard, transferGuard } from '../../errors/index.ts';
import type { FlushPlan } from '../flush/flush-plan.ts';
import type { Entity } from '../mapping/entity-class.ts';
import { NestedTransaction } from './nested-transaction.ts';
import type { FlushOptions, SessionCore } from './session-core.ts';
import { SessionReads } from './session-reads.ts';

const GUARD: TransferGuard = transferGuard(
  'A session',
  'Send the key of an entity and load it in a session of the other side, or hand over its data.',
);

/** Made by `sessionmaker`. One task at a time: work that goes on side by side needs a session each. */
export class Session extends SessionReads {
  readonly [NOT_TRANSFERABLE]: TransferGuard = GUARD;
  /** Makes awaiting an unloaded relation an error, so that every load is asked for where entities are selected. */
  strict = false;
  readonly #core: SessionCore;
  #savepoints = 0;

  constructor(core: SessionCore) {
    super(core);
    this.#core = core;
    core.isStrict = () => this.strict;
  }

  // Objects

  /** Takes new objects in, with all they are related to; they are written by the next flush. */
  add(...entities: Entity[]): void {
    this.addAll(entities);
  }
  addAll(entities: Iterable<Entity>): void {
    this.#core.check('add');
    for (const entity of [...entities]) this.#core.unit.add(entity);
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
    const state = this.#core.persistent(entity, 'expire');
    const indexes = keys?.map((key) => state.mapper.indexByKey.get(key)).filter((index) => index !== undefined);
    this.#core.unit.expire(state, indexes);
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
  async begin<T>(work: (session: this) => PromiseLike<T>, options?: FlushOptions): Promise<T> {
    this.#core.check('begin');
    if (this.#core.unit.depth > 0) {
      throw new StateError('begin(): a transaction has begun already, with the first statement.', {
        hint: 'Commit or roll back first, or use beginNested().',
      });
    }
    try {
      const value = await this.#core.executor.scope(async () => work(this));
      await this.commit(options);
      return value;
    } catch (error) {
      // Reads that `work` did not wait for may still go on: they end first, and no other begins.
      Result.startPending();
      await this.#core.queue.last('rollback', async () => {
        if (!this.#core.closed) await this.#core.rollback();
      });
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
  /** Waits for what is under way, then closes. */
  [Symbol.asyncDispose](): Promise<void> {
    Result.startPending();
    return this.#core.queue.last('close', () => this.#core.close());
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
}
