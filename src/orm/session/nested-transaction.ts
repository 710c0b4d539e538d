// A savepoint as users hold it.
import { NOT_TRANSFERABLE, StateError, type TransferGuard, transferGuard } from '../../errors/index.ts';
import type { WaitOptions } from '../../engine/executor.ts';
import type { SessionCore } from './session-core.ts';

const GUARD: TransferGuard = transferGuard('A nested transaction', 'Send the keys of what it works on.');

/** A savepoint of a session: committed, it becomes part of the transaction around it; rolled back, memory follows. */
export class NestedTransaction {
  readonly [NOT_TRANSFERABLE]: TransferGuard = GUARD;
  readonly #core: SessionCore;
  readonly #name: string;
  #over = false;

  constructor(core: SessionCore, name: string) {
    this.#core = core;
    this.#name = name;
  }
  get active(): boolean {
    return !this.#over;
  }
  /** Flushes and releases the savepoint. Throws `ATH_STATE` where it is over, or one inside it is not. */
  async commit(options?: WaitOptions): Promise<void> {
    this.#check('commit');
    await this.#core.queue.alone('commit', () => this.#core.release(this.#name, options));
    this.#over = true;
  }
  /** Undoes what was done since it began, in the database and in memory. */
  async rollback(options?: WaitOptions): Promise<void> {
    this.#check('rollback');
    await this.#core.queue.alone('rollback', () => this.#core.rollbackTo(this.#name, options));
    this.#over = true;
  }
  /** Rolls back unless it was committed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#over) await this.rollback();
  }
  toJSON(): Record<string, unknown> {
    return GUARD.json({ active: this.active });
  }
  #check(name: string): void {
    if (this.#over) throw new StateError(`${name}(): the nested transaction is over.`);
  }
}
