// Where a SQLite connection stands. SQLite undoes a whole transaction by itself on some errors (disk full, I/O,
// ON CONFLICT ROLLBACK) and then runs the next statement as if nothing had been: here that is `failed`, as other
// databases have it, until the caller says ROLLBACK.
import type { DatabaseSync } from 'node:sqlite';
import type { ConnectionStatus } from '../../../driver/driver.ts';
import { CommitRolledBackError, OperationalError } from '../../../errors/index.ts';

/** Commands that cannot, or need not, run inside a transaction that the caller did not ask for. */
const ALONE = new Set([
  'BEGIN',
  'SAVEPOINT',
  'RELEASE',
  'ROLLBACK TO',
  'ROLLBACK',
  'COMMIT',
  'PRAGMA',
  'VACUUM',
  'ATTACH',
  'DETACH',
]);

export class TransactionState {
  readonly #database: DatabaseSync;
  /** The caller has begun one and not ended it, whatever SQLite says. */
  #begun = false;
  /** One made for a batch of several statements. */
  #implicit = false;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  get status(): ConnectionStatus {
    if (!this.#database.isOpen) return 'closed';
    if (this.#database.isTransaction) return 'transaction';
    return this.#begun ? 'failed' : 'idle';
  }

  /**
   * Whether `command` is to be run: ROLLBACK is not where SQLite has done it already. Throws where only ROLLBACK may
   * come. `writes` is given for a part of several statements, and says whether one of them writes.
   */
  admit(command: string, writes: (() => boolean) | undefined): boolean {
    const { status } = this;
    if (status === 'failed') return this.#afterFailure(command);
    if (command === 'ROLLBACK') return status === 'transaction';
    if (status === 'idle' && writes !== undefined && !ALONE.has(command)) {
      this.#database.exec(writes() ? 'BEGIN IMMEDIATE' : 'BEGIN');
      this.#implicit = true;
    }
    if (command !== 'BEGIN' || !this.#implicit) return true;
    // What ran before in this batch joins the transaction that the caller begins now.
    this.#implicit = false;
    this.#begun = true;
    return false;
  }

  /** After a command that SQLite ran. */
  ran(): void {
    if (!this.#database.isTransaction) this.#implicit = false;
    this.#begun = this.#database.isTransaction && !this.#implicit;
  }

  /** At the end of a batch: makes what it did outside a transaction of the caller's stand or fall as one. */
  settle(succeeded: boolean): void {
    if (!this.#implicit) return;
    // A COMMIT that fails leaves the transaction open, to be settled again as failed.
    if (this.#database.isTransaction) this.#database.exec(succeeded ? 'COMMIT' : 'ROLLBACK');
    this.#implicit = false;
  }

  #afterFailure(command: string): boolean {
    if (command === 'ROLLBACK' || command === 'COMMIT') this.#begun = false;
    if (command === 'ROLLBACK') return false;
    if (command === 'COMMIT') {
      throw new CommitRolledBackError('SQLite had rolled this transaction back by itself after an error.', {
        outcome: 'failed',
      });
    }
    throw new OperationalError(
      'SQLite rolled this transaction back by itself after an error; nothing runs in it any more.',
      {
        hint: 'Roll back, then begin again.',
      },
    );
  }
}
