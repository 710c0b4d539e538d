// A statement with a deadline or a signal. Giving up on it means having the server stop it and waiting for the
// server's word, so that the connection stays known; a server that does not answer loses the connection.
import type { DriverStatement, Sink, SubmitOptions } from '../driver/driver.ts';
import {
  AthanorError,
  type AthanorErrorOptions,
  CancelledError,
  ConnectionLostError,
  StatementTimeoutError,
} from '../errors/index.ts';
import type { Lease } from '../pool/lease.ts';
import { type Clock, systemClock } from '../primitives/clock.ts';
import type { WaitOptions } from './executor.ts';

/** How long the server may take to answer a cancel, in ms. */
const GRACE = 200;

export interface Batch {
  readonly batch: readonly DriverStatement[];
  readonly sink: Sink;
}

type GivingUp = (options: AthanorErrorOptions) => AthanorError;

/** Why a statement with these limits must not even be sent; `undefined` where it may. */
export function overdue({ signal, timeout }: WaitOptions): AthanorError | undefined {
  if (signal?.aborted === true) return unwanted(signal)({ outcome: 'not-sent' });
  return timeout !== undefined && timeout <= 0 ? late(timeout)({ outcome: 'not-sent' }) : undefined;
}

interface Limits extends WaitOptions {
  readonly clock?: Clock | undefined;
}

/** A batch within limits: see `workWithin`. */
export function submitWithin(lease: Lease, { batch, sink }: Batch, limits: Limits): Promise<void> {
  return workWithin(lease, (options) => lease.submit(batch, sink, options), limits);
}

/** Rejects with `ATH_STATEMENT_TIMEOUT` or `ATH_CANCELLED` at most 250 ms after deadline or signal. */
export function workWithin<T>(
  lease: Lease,
  work: (options: SubmitOptions) => Promise<T>,
  { signal, timeout, clock = systemClock }: Limits,
): Promise<T> {
  const { connectionId } = lease;
  return new Promise((resolve, reject) => {
    const controller = new AbortController();
    let givingUp: GivingUp | undefined;
    let timer = timeout === undefined ? undefined : clock.timer(timeout, () => giveUp(late(timeout)));
    const onAbort = (): void => giveUp(unwanted(signal));
    signal?.addEventListener('abort', onAbort);
    const end = (): void => {
      timer?.cancel();
      signal?.removeEventListener('abort', onAbort);
    };
    function giveUp(how: GivingUp): void {
      if (givingUp !== undefined) return;
      givingUp = how;
      timer?.cancel();
      timer = clock.timer(GRACE, () => {
        end();
        reject(how({ connectionId, outcome: 'unknown' }));
        lease.invalidate('it did not answer a cancel');
      });
      controller.abort(how({ connectionId }));
    }
    work({ signal: controller.signal }).then(
      (value) => {
        end();
        resolve(value);
      },
      (error: unknown) => {
        end();
        reject(givingUp !== undefined && stopped(error) ? givingUp(told(error, connectionId)) : error);
      },
    );
  });
}

function late(timeout: number): GivingUp {
  return (options) =>
    new StatementTimeoutError(`The statement did not end within ${Math.max(0, Math.round(timeout))} ms.`, options);
}

function unwanted(signal: AbortSignal | undefined): GivingUp {
  return (options) => new CancelledError('The statement was cancelled.', { ...options, cause: signal?.reason });
}

/** The statement ended because it was told to, and not for a reason of its own. */
function stopped(error: unknown): boolean {
  return (
    error instanceof StatementTimeoutError || error instanceof CancelledError || error instanceof ConnectionLostError
  );
}

function told(error: unknown, connectionId: string): AthanorErrorOptions {
  const outcome = error instanceof AthanorError ? error.outcome : undefined;
  return { cause: error, connectionId, outcome: outcome ?? 'failed' };
}
