// What a pool answers instead of a connection.
import { AthanorError, type AthanorErrorOptions } from './athanor-error.ts';

/** One checked-out connection, as a pool names it in its errors and its status. Times are milliseconds. */
export interface HolderRecord {
  readonly connectionId: string;
  readonly since: number;
  readonly lastStatement?: string | undefined;
  readonly callSite?: string | undefined;
  readonly inTransaction: boolean;
}

export class PoolError extends AthanorError {
  readonly code: string = 'ATH_POOL';
  readonly holders: readonly HolderRecord[];
  constructor(message: string, options: AthanorErrorOptions & { readonly holders?: readonly HolderRecord[] } = {}) {
    super(message, options);
    this.holders = options.holders ?? [];
  }
  protected override fields(): Record<string, unknown> {
    return this.holders.length === 0 ? {} : { holders: this.holders };
  }
}
/** No connection became free within the deadline; `holders` names who has them. */
export class PoolTimeoutError extends PoolError {
  override readonly code: string = 'ATH_POOL_TIMEOUT';
  override get retryable(): boolean {
    return true;
  }
}
/** Too many wait, or have waited for too long: this one was refused before its deadline. */
export class PoolOverloadedError extends PoolError {
  override readonly code: string = 'ATH_POOL_OVERLOADED';
  override get retryable(): boolean {
    return true;
  }
}
/** The pool or its engine was closed. */
export class PoolClosedError extends PoolError {
  override readonly code: string = 'ATH_POOL_CLOSED';
}
/** A second connection was asked for by a task that already holds one, with none left: it would wait for itself. */
export class NestedCheckoutError extends PoolError {
  override readonly code: string = 'ATH_NESTED_CHECKOUT';
}
