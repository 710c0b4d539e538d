// One conversation with the server: what is written, and what is made of the answers until the server is ready again.
// node-postgres has one under way at a time; the line behind it is ours.
import type { ConnectionStatus } from '../../../driver/driver.ts';
import type { PgMessage, PgWire } from './pg-module.ts';

/** Writes what was composed; nothing of it can fail any more. */
export type Write = (wire: PgWire) => void;

export abstract class Exchange {
  readonly signal: AbortSignal | undefined;
  /** Settles when the server has answered all of it. */
  readonly settled: Promise<void>;
  #resolve: () => void = () => {};
  #reject: (error: unknown) => void = () => {};
  /** Its statements, for whoever has to tell what a loss did to them. */
  abstract readonly statements: readonly string[];
  /** Which of them the answers have come to. */
  cursor = 0;
  /** All are answered; only the server's "ready" is missing. */
  complete = false;
  error: unknown;
  /** True while a caller's own code runs, so that what it throws is known to be its. */
  inSink = false;
  cancelSent = false;
  onAbort: (() => void) | undefined;
  /** When the first cancel for the signal was sent, and the timer of the next one. */
  cancelling: { readonly since: number; timer?: NodeJS.Timeout } | undefined;

  constructor(signal: AbortSignal | undefined) {
    this.signal = signal;
    this.settled = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** What to write. Throws, with nothing written, if a part cannot be sent. */
  abstract compose(status: ConnectionStatus): Write;
  /** A message that is an answer. Gives the command it says was completed, if it does. */
  abstract answer(message: PgMessage): string | undefined;

  /** The server refused: nothing behind it is run. */
  fail(error: unknown): void {
    this.error ??= error;
  }

  /** Whether the same may be composed and sent again after its failure. */
  again(_before: ConnectionStatus, _now: ConnectionStatus): boolean {
    return false;
  }

  /** The signal fired while it was under way. */
  aborted(): void {}

  /** What is still to be done after the server's last word. */
  rest(): Promise<void> | undefined {
    return undefined;
  }

  /** It is over. */
  finish(): void {
    clearTimeout(this.cancelling?.timer);
    if (this.onAbort !== undefined) this.signal?.removeEventListener('abort', this.onAbort);
    if (this.error === undefined) this.#resolve();
    else this.#reject(this.error);
  }
}
