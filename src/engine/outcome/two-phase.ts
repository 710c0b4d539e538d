// Transactions that are prepared in one session and ended in any: what a coordinator of several databases needs. What is
// prepared outlives the session and the server's restart, and holds its locks until somebody ends it.
import { randomUUID } from 'node:crypto';
import type { Dialect, TwoPhaseSql } from '../../dialect/dialect.ts';
import {
  NOT_TRANSFERABLE,
  StateError,
  type TransferGuard,
  transferGuard,
  UnsupportedError,
} from '../../errors/index.ts';
import type { WaitOptions } from '../executor.ts';
import type { Transaction } from '../transaction.ts';

/** Who carries out what a two-phase transaction is told. */
export interface TwoPhaseHome<C> {
  prepare(xid: string, options: WaitOptions): Promise<void>;
  commitPrepared(xid: string, options: WaitOptions): Promise<void>;
  rollbackPrepared(xid: string, options: WaitOptions): Promise<void>;
  readonly connection: C;
}

const GUARD = transferGuard('A transaction', 'Prepare it and send its xid: any session can end it by that.');

/** A transaction in two phases: `prepare()`, then `commit()` or `rollback()`. Without `prepare()` it is an ordinary one. */
export class TwoPhaseTransaction<C> {
  readonly [NOT_TRANSFERABLE]: TransferGuard = GUARD;
  /** What the server knows it by, once it is prepared. */
  readonly xid: string;
  readonly #home: TwoPhaseHome<C>;
  readonly #inner: Transaction<C>;
  #prepared = false;
  #ended = false;

  /** @internal */
  constructor(home: TwoPhaseHome<C>, inner: Transaction<C>, xid: string) {
    this.#home = home;
    this.#inner = inner;
    this.xid = xid;
  }

  get connection(): C {
    return this.#home.connection;
  }

  /** Whether it was prepared and neither committed nor rolled back. */
  get isPrepared(): boolean {
    return this.#prepared && !this.#ended;
  }

  /** First phase. After it the server will be able to commit, whatever happens. Rejects with `ATH_STATE` if it has ended or is prepared. */
  async prepare(options: WaitOptions = {}): Promise<void> {
    if (this.#prepared || !this.#inner.isActive) {
      throw new StateError(`Transaction ${this.xid} is prepared already, or has ended.`, { outcome: 'not-sent' });
    }
    await this.#home.prepare(this.xid, options);
    this.#prepared = true;
  }

  /** Second phase; an ordinary commit where it was not prepared. */
  async commit(options: WaitOptions = {}): Promise<void> {
    if (!this.#prepared) return this.#inner.commit(options);
    this.#refuseEnded();
    await this.#home.commitPrepared(this.xid, options);
    this.#ended = true;
  }

  async rollback(options: WaitOptions = {}): Promise<void> {
    if (!this.#prepared) return this.#inner.rollback(options);
    this.#refuseEnded();
    await this.#home.rollbackPrepared(this.xid, options);
    this.#ended = true;
  }

  /** Rolls back what was not prepared. What was prepared stays, for whoever knows its xid. */
  async close(): Promise<void> {
    if (!this.#prepared) await this.#inner.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  toJSON(): Record<string, unknown> {
    return GUARD.json({ xid: this.xid, prepared: this.isPrepared });
  }

  #refuseEnded(): void {
    if (this.#ended) throw new StateError(`Transaction ${this.xid} has ended.`, { outcome: 'not-sent' });
  }
}

/** A name for a transaction that nobody named. */
export function newXid(): string {
  return `athanor_${randomUUID()}`;
}

/** Throws `ATH_UNSUPPORTED` where the database has no two-phase commit. */
export function twoPhaseSql(dialect: Dialect): TwoPhaseSql {
  const sql = dialect.transactions.twoPhase;
  if (sql === undefined) throw new UnsupportedError('This database cannot prepare transactions.');
  return sql;
}
