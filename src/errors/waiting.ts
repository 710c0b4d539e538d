// The two ends a wait can come to before its answer: the caller's signal, and the deadline.
import { AthanorError, type AthanorErrorOptions } from './athanor-error.ts';

/** The caller's AbortSignal fired. `cause` is the signal's reason. */
export class CancelledError extends AthanorError {
  readonly code: string = 'ATH_CANCELLED';
}
/** A deadline passed. */
export class TimeoutError extends AthanorError {
  readonly code: string = 'ATH_TIMEOUT';
  /** The deadline that passed, in milliseconds. */
  readonly timeout: number | undefined;
  constructor(message: string, options: AthanorErrorOptions & { readonly timeout?: number | undefined } = {}) {
    super(message, options);
    this.timeout = options.timeout;
  }
  protected override fields(): Record<string, unknown> {
    return this.timeout === undefined ? {} : { timeout: this.timeout };
  }
}
