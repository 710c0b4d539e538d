// A handle on one transaction or savepoint of a connection. It ends once: by commit, by rollback, or with whatever is
// around it.
import { NOT_TRANSFERABLE, StateError, type TransferGuard, transferGuard } from '../errors/index.ts';
import type { WaitOptions } from './executor.ts';

/** Who carries out what a transaction is told. */
export interface TransactionHome<C> {
  readonly connection: C;
  finish(transaction: Transaction<C>, how: 'commit' | 'rollback', options: WaitOptions): Promise<void>;
}

const GUARD = transferGuard(
  'A transaction',
  'Send what the other side needs to know and let it work in a transaction of its own.',
);

/** A transaction, or a savepoint inside one. */
export class Transaction<C> {
  readonly [NOT_TRANSFERABLE]: TransferGuard = GUARD;
  readonly #home: TransactionHome<C>;
  /** The savepoint's name; `undefined` for the transaction itself. */
  readonly savepoint: string | undefined;
  #active = true;

  constructor(home: TransactionHome<C>, savepoint: string | undefined) {
    this.#home = home;
    this.savepoint = savepoint;
  }

  /** Whether neither it nor a transaction around it has ended. */
  get isActive(): boolean {
    return this.#active;
  }

  get connection(): C {
    return this.#home.connection;
  }

  /** Throws `ATH_STATE` if it has ended; else what the server answered, as `connection.commit()`. */
  async commit(options: WaitOptions = {}): Promise<void> {
    this.#refuse('commit');
    await this.#home.finish(this, 'commit', options);
  }

  /** Throws `ATH_STATE` if it has ended. */
  async rollback(options: WaitOptions = {}): Promise<void> {
    this.#refuse('rollback');
    await this.#home.finish(this, 'rollback', options);
  }

  /** Rolls back if it has not ended. */
  async close(): Promise<void> {
    if (this.#active) await this.#home.finish(this, 'rollback', {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal */
  ended(): void {
    this.#active = false;
  }

  #refuse(call: string): void {
    if (this.#active) return;
    const what = this.savepoint === undefined ? 'The transaction' : `Savepoint ${this.savepoint}`;
    throw new StateError(`${what} has ended: ${call}() comes too late.`, { outcome: 'not-sent' });
  }

  toJSON(): Record<string, unknown> {
    return GUARD.json({ active: this.#active, savepoint: this.savepoint });
  }
}
