// The one deadline and the one signal over all steps of connecting. When either ends it, the transport of the moment is
// destroyed, so no step can wait on.
import { CancelledError, ConnectError, TimeoutError, type AthanorError } from '../../../errors/index.ts';

/** What is destroyed when time is up. */
export interface Destroyable {
  destroy(): unknown;
}

export interface ScopeOptions {
  /** Milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
  /** Where to, for the message. */
  readonly place: string;
}

export class ConnectScope {
  /** Rejects when the deadline passes or the signal fires; never settles otherwise. */
  readonly failed: Promise<never>;
  #failure: AthanorError | undefined;
  #fail: (error: AthanorError) => void = () => {};
  #transport: Destroyable | undefined;
  readonly #timer: NodeJS.Timeout;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void =>
    this.#end(new CancelledError('connecting was cancelled', { cause: this.#signal?.reason, outcome: 'not-sent' }));

  constructor({ timeout, signal, place }: ScopeOptions) {
    this.failed = new Promise((_resolve, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => {});
    this.#signal = signal;
    const late = (): AthanorError => {
      const message = `no connection to ${place} within ${timeout} ms`;
      return new ConnectError(message, { cause: new TimeoutError(message, { timeout }), outcome: 'not-sent' });
    };
    this.#timer = setTimeout(() => this.#end(late()), timeout);
    if (signal?.aborted === true) this.#onAbort();
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Why the scope ended, if it was not by success. */
  get failure(): AthanorError | undefined {
    return this.#failure;
  }

  /** The transport to destroy when time is up. Throws if it already is. */
  holds(transport: Destroyable): void {
    this.#transport = transport;
    if (this.#failure === undefined) return;
    transport.destroy();
    throw this.#failure;
  }

  /** Connecting is over. */
  close(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }

  #end(error: AthanorError): void {
    this.#failure = error;
    this.close();
    this.#transport?.destroy();
    this.#fail(error);
  }
}
