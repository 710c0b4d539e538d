// Opens connections: first the permit, then the connection. One permit is asked for at a time, so that a crowd of
// waiters is one voice to whoever counts; connections are opened side by side. A server that is full, or not up yet, is
// asked again until nobody waits any more.
import type { DriverConnection } from '../driver/driver.ts';
import { BudgetTimeoutError, CancelledError, ConnectError, ServerFullError, TimeoutError } from '../errors/index.ts';
import type { Clock } from '../primitives/clock.ts';
import type { Permit } from './permits.ts';
import type { ResolvedPoolOptions } from './pool-options.ts';

export interface OpenerHooks {
  opened(connection: DriverConnection, permit: Permit, generation: number): void;
  /** It did not work, and somebody should hear of it. */
  failed(error: unknown): void;
  /** A permit was granted or an attempt ended: look again at who waits. */
  changed(): void;
  /** How many waiters have nothing under way for them but what this opener does. */
  wanting(): number;
  generation(): number;
}

interface Attempt {
  readonly since: number;
  /** The server has no room now, and is asked again after a pause. */
  paused: boolean;
}

/** An attempt that takes longer no longer keeps others from being started. */
const SLOW = 1_000;
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1_000;

export class Opener {
  readonly #options: ResolvedPoolOptions;
  readonly #clock: Clock;
  readonly #hooks: OpenerHooks;
  readonly #attempts = new Set<Attempt>();
  readonly #closing = new AbortController();
  #ask: AbortController | undefined;
  #ended: (() => void) | undefined;
  /** The latest deadline by which a permit was asked for in vain. */
  #vain = 0;
  /** Why there was no connection to be had lately. */
  shortage: Error | undefined;

  constructor(options: ResolvedPoolOptions, hooks: OpenerHooks) {
    this.#options = options;
    this.#clock = options.clock;
    this.#hooks = hooks;
  }

  /** Whether a permit is being waited for. */
  get asking(): boolean {
    return this.#ask !== undefined;
  }

  /** Attempts that hold a permit. */
  get connecting(): number {
    return this.#attempts.size;
  }

  /** Attempts that may be expected to end soon. */
  get promising(): number {
    const since = this.#clock.now() - SLOW;
    let count = 0;
    for (const attempt of this.#attempts) if (attempt.paused || attempt.since > since) count += 1;
    return count;
  }

  /** Whether a permit was asked for by this deadline already, to its end: asking again would only turn in a circle. */
  isVain(deadline: number): boolean {
    return deadline <= this.#vain;
  }

  /** Asks for a permit, by the deadline, and opens a connection on it. Not while asking. */
  open(deadline: number): void {
    const ask = new AbortController();
    this.#ask = ask;
    // Refused a little early, so that the error at the deadline can quote who has the permits.
    const margin = Math.max(0, Math.min(100, (deadline - this.#clock.now()) / 10));
    this.#options.permits.acquire({ signal: ask.signal, deadline: deadline - margin }).then(
      (permit) => this.#granted(permit, ask),
      (error: unknown) => this.#refused(error, ask, deadline),
    );
  }

  /** Nobody waits for the permit any more. */
  stopAsking(): void {
    const ask = this.#ask;
    this.#ask = undefined;
    ask?.abort();
  }

  /** Ends everything under way. Settles when the attempts have ended, after a second at the latest. */
  close(): Promise<void> {
    this.stopAsking();
    this.#closing.abort();
    if (this.#attempts.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.#ended = undefined;
        resolve();
      };
      const timer = this.#clock.timer(1_000, end);
      this.#ended = end;
    });
  }

  #end(attempt: Attempt): void {
    this.#attempts.delete(attempt);
    if (this.#attempts.size === 0) this.#ended?.();
  }

  #granted(permit: Permit, ask: AbortController): void {
    if (this.#ask === ask) this.#ask = undefined;
    if (ask.signal.aborted || this.#closing.signal.aborted || this.#hooks.wanting() <= this.promising) {
      permit.release();
      this.#hooks.changed();
      return;
    }
    const attempt: Attempt = { since: this.#clock.now(), paused: false };
    this.#attempts.add(attempt);
    // Everything that can go wrong is told by hooks; nothing is left to reject.
    void this.#connect(permit, attempt);
    this.#hooks.changed();
  }

  #refused(error: unknown, ask: AbortController, deadline: number): void {
    if (this.#ask === ask) this.#ask = undefined;
    if (ask.signal.aborted) return;
    if (error instanceof BudgetTimeoutError) {
      this.shortage = error;
      this.#vain = deadline;
    } else this.#hooks.failed(error);
    this.#hooks.changed();
  }

  async #connect(permit: Permit, attempt: Attempt): Promise<void> {
    const { signal } = this.#closing;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      const generation = this.#hooks.generation();
      try {
        const connection = await this.#options.connect(permit, { signal, timeout: this.#options.connectTimeout });
        this.#end(attempt);
        this.shortage = undefined;
        permit.opened(connection.identity);
        this.#hooks.opened(connection, permit, generation);
        return;
      } catch (error) {
        if (passes(error)) {
          this.shortage = error;
          if (error instanceof ServerFullError) this.#options.permits.serverFull?.();
          attempt.paused = true;
          await this.#pause(pause);
          if (!signal.aborted && this.#hooks.wanting() > 0) continue;
        }
        this.#end(attempt);
        permit.release(nothingLeftBehind(error));
        if (!signal.aborted && !passes(error)) this.#hooks.failed(error);
        this.#hooks.changed();
        return;
      }
    }
  }

  #pause(longest: number): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#closing;
      const timer = this.#clock.timer(longest * (0.5 + this.#options.random() / 2), end);
      function end(): void {
        timer.cancel();
        signal.removeEventListener('abort', end);
        resolve();
      }
      signal.addEventListener('abort', end);
    });
  }
}

/** SQLSTATE of a server that is starting up or shutting down. */
const NOT_NOW = '57P03';

/** Whether a server that refused may accept a little later. */
function passes(error: unknown): error is ConnectError {
  return error instanceof ServerFullError || (error instanceof ConnectError && error.sqlState === NOT_NOW);
}

/** Whether a failed attempt is known to have left no session on the server. */
function nothingLeftBehind(error: unknown): boolean {
  if (error instanceof TimeoutError || error instanceof CancelledError) return false;
  return error instanceof ConnectError && !(error.cause instanceof TimeoutError);
}
