// What a cancelled batch is told, by every driver of this database in the same words.
import { CancelledError } from '../../../errors/index.ts';

/** The signal fired before anything was sent. */
export function neverSent(signal: AbortSignal): CancelledError {
  return new CancelledError('cancelled before it was sent', { cause: signal.reason, outcome: 'not-sent' });
}

/** It was sent, and stopped: by its signal, or by somebody else's request. */
export function cancelledBy(signal: AbortSignal | undefined, cause: unknown): CancelledError {
  const reason: unknown = signal?.aborted === true ? signal.reason : cause;
  return new CancelledError('the statement was cancelled', { cause: reason, outcome: 'failed' });
}
