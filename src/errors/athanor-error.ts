// The root of the error tree. Every failure athanor reports is one of these, so that a caller can react by class or
// by `code`, and so that an error survives the trip between two processes (see serialize.ts).

/**
 * What is known of the work an error interrupted: it never reached the server, it failed there, nobody can say, or it
 * was committed and only its answer could not be taken in.
 */
export type Outcome = 'not-sent' | 'failed' | 'unknown' | 'committed';

export interface AthanorErrorOptions {
  /** What the caller can do about it, in one or two sentences. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  /** The connection the failure happened on, as the logs name it. */
  readonly connectionId?: string | undefined;
  readonly outcome?: Outcome | undefined;
}

/** The plain form of an error: what `toJSON` gives and what crosses a process boundary. */
export interface ErrorRecord {
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly retryable: boolean;
  readonly outcome?: Outcome;
  readonly connectionId?: string;
  readonly [field: string]: unknown;
}

/**
 * The base class of all errors athanor throws.
 *
 * `code` is stable and leads to `docs/errors/<code>.md`; `hint` names the cures; `retryable` says whether the same
 * unit of work, run again from its start, may succeed.
 */
export abstract class AthanorError extends Error {
  abstract readonly code: string;
  /** Whether the whole unit of work may be run again. */
  get retryable(): boolean {
    return false;
  }
  /** Where the code is explained, with its cures: a page that comes with the package. */
  get docs(): string {
    return `docs/errors/${this.code}.md`;
  }
  readonly hint: string | undefined;
  readonly outcome: Outcome | undefined;
  readonly connectionId: string | undefined;

  constructor(message: string, options: AthanorErrorOptions = {}) {
    super(
      options.hint === undefined ? message : `${message}\n  ${options.hint}`,
      'cause' in options ? { cause: options.cause } : undefined,
    );
    this.hint = options.hint;
    this.outcome = options.outcome;
    this.connectionId = options.connectionId;
    // Minifiers rename classes; the code does not change.
    Object.defineProperty(this, 'name', { value: new.target.name, configurable: true, writable: true });
  }

  /** The fields of a subclass that a receiver needs to build the error again. Values of parameters are never among them. */
  protected fields(): Record<string, unknown> {
    return {};
  }

  toJSON(): ErrorRecord {
    return {
      name: this.name,
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      retryable: this.retryable,
      ...(this.outcome === undefined ? {} : { outcome: this.outcome }),
      ...(this.connectionId === undefined ? {} : { connectionId: this.connectionId }),
      ...this.fields(),
    };
  }
}
