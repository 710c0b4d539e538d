// Who is next, and who is asked to give back. One permit each comes first, then equal shares, first come first served
// among equals: always the waiter that holds least, and recalls from the holder that has most. Pure functions.

/** A process as far as fairness is concerned. */
export interface Share {
  /** Permits it holds. */
  readonly held: number;
  /** The order number of its oldest waiting request; `undefined` if it waits for nothing. */
  readonly firstWant: number | undefined;
  /** Waiting requests. */
  readonly waiting: number;
  /** Permits that may be asked back now: held long enough and not already asked for. */
  readonly recallable: number;
}

/**
 * The waiter to be granted the next of `free` permits. The last one is only for a process that has none: a process that
 * holds connections while it waits for its children would otherwise take them all, and wait for ever.
 */
export function nextWaiter<S extends Share>(shares: Iterable<S>, free: number): S | undefined {
  let best: S | undefined;
  for (const share of shares) {
    if (share.firstWant === undefined || (free === 1 && share.held > 0)) continue;
    if (
      best === undefined ||
      share.held < best.held ||
      (share.held === best.held && share.firstWant < (best.firstWant ?? 0))
    ) {
      best = share;
    }
  }
  return best;
}

interface Balance<S> {
  readonly share: S;
  held: number;
  wants: number;
  recallable: number;
}

/**
 * How many permits to ask back from whom, so that shares become equal. `excess` permits are above the budget and are
 * asked back in any case; `coming` were asked for already and count as met.
 *
 * A permit moves only where that makes shares more equal, or where the waiter has none at all: with more processes
 * than permits the holders of idle ones take turns.
 */
export function recalls<S extends Share>(shares: Iterable<S>, excess: number, coming: number): Map<S, number> {
  const balances: Balance<S>[] = Array.from(shares, (share) => ({
    share,
    held: share.held,
    wants: share.waiting,
    recallable: share.recallable,
  }));
  const asked = new Map<S, number>();
  const take = (from: Balance<S>): void => {
    from.held -= 1;
    from.recallable -= 1;
    asked.set(from.share, (asked.get(from.share) ?? 0) + 1);
  };
  let above = excess;
  let expected = coming;
  for (; above > 0; above -= 1) {
    if (expected > 0) {
      expected -= 1;
      continue;
    }
    const from = richest(balances);
    if (from === undefined) return asked;
    take(from);
  }
  for (;;) {
    const to = poorest(balances);
    if (to === undefined) return asked;
    if (expected > 0) {
      expected -= 1;
    } else {
      const from = richest(balances, to);
      if (from === undefined || !(from.held >= to.held + 2 || (to.held === 0 && from.held > 0))) return asked;
      take(from);
    }
    to.held += 1;
    to.wants -= 1;
  }
}

function richest<S>(balances: readonly Balance<S>[], except?: Balance<S>): Balance<S> | undefined {
  let best: Balance<S> | undefined;
  for (const balance of balances) {
    if (balance === except || balance.recallable <= 0) continue;
    if (best === undefined || balance.held > best.held) best = balance;
  }
  return best;
}

function poorest<S>(balances: readonly Balance<S>[]): Balance<S> | undefined {
  let best: Balance<S> | undefined;
  for (const balance of balances) {
    if (balance.wants > 0 && (best === undefined || balance.held < best.held)) best = balance;
  }
  return best;
}
