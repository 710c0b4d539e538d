// What somebody hears who does not get a connection: the figures, who has the connections, and the cures.
import {
  type HolderRecord,
  NestedCheckoutError,
  PoolClosedError,
  PoolError,
  PoolOverloadedError,
  PoolTimeoutError,
} from '../errors/index.ts';
import type { PoolStatus } from './pool-status.ts';

function seconds(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** A line a holder, longest first, of at most ten. */
export function holderLines(holders: readonly HolderRecord[]): string {
  const sorted = [...holders].sort((one, other) => other.since - one.since);
  const lines = sorted.slice(0, 10).map((holder) => {
    const parts = [
      `held for ${seconds(holder.since)}`,
      holder.inTransaction ? 'in a transaction' : 'in no transaction',
    ];
    if (holder.lastStatement !== undefined) parts.push(`last statement: ${holder.lastStatement.replace(/\s+/g, ' ')}`);
    if (holder.callSite !== undefined) parts.push(`taken at ${holder.callSite}`);
    return `\n  connection ${holder.connectionId}: ${parts.join('; ')}`;
  });
  if (sorted.length > 10) lines.push(`\n  and ${sorted.length - 10} more`);
  return lines.join('');
}

/** What a wait came to. */
export interface TimedOut {
  readonly waited: number;
  /** How long this process could not look after its timers meanwhile, in ms. */
  readonly late: number;
  readonly cause: Error | undefined;
}

/** Timers are this late on a busy machine. */
const PUNCTUAL = 100;

/** The deadline passed. */
export function checkoutTimedOut({ waited, late, cause }: TimedOut, status: PoolStatus): PoolTimeoutError {
  const stood = late > PUNCTUAL ? ` This process's event loop was blocked for ${seconds(Math.round(late))}.` : '';
  const why = cause === undefined ? '' : ` Last refusal: ${cause.message.split('\n', 1)[0]}`;
  return new PoolTimeoutError(
    `No connection became free within ${Math.round(waited)} ms: ${status.text}.${stood}${why}${holderLines(status.holders)}`,
    {
      hint: 'Shorten what the holders do, close what they forgot, raise the limit (pool.max, the budget, the server), or wait longer (timeout).',
      holders: status.holders,
      outcome: 'not-sent',
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

const NESTED_CURE =
  'Use the connection or session the task already has, finish it before asking for another, or raise the limit (pool.max, the budget).';

/** The asking task itself holds a connection. */
export function nestedCheckout(holding: readonly HolderRecord[], status: PoolStatus): NestedCheckoutError {
  return new NestedCheckoutError(
    `This task holds a connection and asks for a second one while none is left: it would wait for itself (${status.text}).${holderLines(holding)}`,
    { hint: NESTED_CURE, holders: holding, outcome: 'not-sent' },
  );
}

/** Nobody moves: every holder idles in a transaction while others wait. */
export function stalledCheckout(waited: number, status: PoolStatus): NestedCheckoutError {
  return new NestedCheckoutError(
    `Waited ${Math.round(waited)} ms for a connection while every holder idles in a transaction: they seem to wait for each other (${status.text}).${holderLines(status.holders)}`,
    { hint: NESTED_CURE, holders: status.holders, outcome: 'not-sent' },
  );
}

/** Nobody more may wait. */
export function tooManyWaiting(limit: number, status: PoolStatus): PoolOverloadedError {
  return overloaded(`${limit} checkouts wait already, no more are let in: ${status.text}.`, status);
}

/** The queue has been long for too long, and this one has waited in it. */
export function shed(waited: number, status: PoolStatus): PoolOverloadedError {
  return overloaded(
    `Refused after ${Math.round(waited)} ms, so that others are served in time: for some time nobody got a connection soon enough (${status.text}).`,
    status,
  );
}

function overloaded(what: string, status: PoolStatus): PoolOverloadedError {
  return new PoolOverloadedError(`${what}${holderLines(status.holders)}`, {
    hint: 'Ask for fewer connections at once, raise the limit (pool.max, the budget), or let more wait (pool.maxWaiting, pool.shedding).',
    holders: status.holders,
    outcome: 'not-sent',
  });
}

/** The pool's policy is that only one connection is out at a time. */
export function notAlone(status: PoolStatus): PoolError {
  return new PoolError(
    `A connection is out already, and this pool lends one at a time.${holderLines(status.holders)}`,
    {
      hint: "Give the first one back, or leave out pool.policy: 'assertion'.",
      holders: status.holders,
      outcome: 'not-sent',
    },
  );
}

export function poolClosed(): PoolClosedError {
  return new PoolClosedError('The pool was closed.', {
    hint: 'close() ends an engine; dispose() closes its connections and leaves it usable.',
    outcome: 'not-sent',
  });
}
