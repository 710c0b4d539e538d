// A serialization failure or a deadlock says: the same work, run again from its start, may succeed. Only the whole
// transaction can be run again, so only whoever owns all of it may do so.
import {
  CancelledError,
  ConnectionLostError,
  DeadlockError,
  SerializationFailureError,
  ServerFullError,
  UsageError,
} from '../errors/index.ts';
import { type Clock, systemClock } from '../primitives/clock.ts';

export interface RetryOptions {
  /** How often the work may be run again. Default 3. */
  readonly retries?: number | undefined;
  /** Which failures are worth it. Default: serialization failures, deadlocks, and a connection that went away or was refused before the statement was sent. */
  readonly retryOn?: ((error: unknown) => boolean) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** All runs and pauses together, in ms. */
  readonly timeout?: number | undefined;
  readonly clock?: Clock | undefined;
  /** Between 0 and 1, for jitter. */
  readonly random?: (() => number) | undefined;
}

const FIRST_PAUSE = 20;
const LONGEST_PAUSE = 2_000;

/** 40001 and 40P01. */
export function isTransactionConflict(error: unknown): boolean {
  return error instanceof SerializationFailureError || error instanceof DeadlockError;
}

/** A conflict, or a connection that was not there when a statement was to be sent: COMMIT cannot have been carried out. */
export function isWorthRetrying(error: unknown): boolean {
  if (isTransactionConflict(error) || error instanceof ServerFullError) return true;
  return error instanceof ConnectionLostError && error.outcome === 'not-sent';
}

/** Runs `work`, and again while it fails in a way worth it, with a random pause that may double each time. */
export async function retried<T>(work: (attempt: number) => Promise<T>, options: RetryOptions = {}): Promise<T> {
  const { retries = 3, retryOn = isWorthRetrying, signal, timeout, clock = systemClock } = options;
  const { random = Math.random } = options;
  if (!(retries >= 0)) throw new UsageError(`retries must be a number from 0 up, not ${String(retries)}.`);
  const until = timeout === undefined ? Number.POSITIVE_INFINITY : clock.now() + timeout;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (error) {
      const pause = random() * Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** attempt);
      if (attempt >= retries || !retryOn(error) || clock.now() + pause >= until) throw error;
      await rest(pause, signal, clock);
    }
  }
}

function rest(pause: number, signal: AbortSignal | undefined, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      timer.cancel();
      reject(new CancelledError('Cancelled between two runs of a transaction.', { cause: signal?.reason }));
    };
    const timer = clock.timer(pause, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort);
  });
}
