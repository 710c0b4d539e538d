// What the boundary between processes answers.
import { AthanorError, type AthanorErrorOptions } from './athanor-error.ts';

export class ProcessError extends AthanorError {
  readonly code: string = 'ATH_PROCESS';
}
/** Something that lives in one process was about to be sent to another; thrown in the sender. */
export class NotTransferableError extends ProcessError {
  override readonly code: string = 'ATH_NOT_TRANSFERABLE';
}
/** A connection is used by a process, thread or epoch that did not open it. */
export class ForeignOwnerError extends ProcessError {
  override readonly code: string = 'ATH_FOREIGN_OWNER';
}
/** No permit of the shared budget became free within the deadline. */
export class BudgetTimeoutError extends ProcessError {
  override readonly code: string = 'ATH_BUDGET_TIMEOUT';
  override get retryable(): boolean {
    return true;
  }
}
/** The broker is gone and none took over: no new connection is opened; those that are open finish their work. */
export class BrokerLostError extends ProcessError {
  override readonly code: string = 'ATH_BROKER_LOST';
}
/** A job's process or thread ended without an answer. */
export class JobLostError extends ProcessError {
  override readonly code: string = 'ATH_JOB_LOST';
  readonly exitCode: number | undefined;
  /** The signal that ended the process. */
  readonly signal: string | undefined;
  constructor(
    message: string,
    options: AthanorErrorOptions & {
      readonly exitCode?: number | undefined;
      readonly signal?: string | undefined;
    } = {},
  ) {
    super(message, options);
    this.exitCode = options.exitCode;
    this.signal = options.signal;
  }
  protected override fields(): Record<string, unknown> {
    return {
      ...(this.exitCode === undefined ? {} : { exitCode: this.exitCode }),
      ...(this.signal === undefined ? {} : { signal: this.signal }),
    };
  }
}
