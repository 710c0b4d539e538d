// Several servers, one connection: they are tried in order until one is the wanted one, and the time there is is shared
// among those still to come, so that one that says nothing does not use up all of it.
import { AuthenticationError, CancelledError, ConnectError, ServerFullError } from '../../../errors/index.ts';
import type { Place, TargetSessionAttrs } from './options.ts';
import { isTlsFailure } from './tls-negotiation.ts';

/** One try. */
export interface Try {
  readonly place: Place;
  readonly wanted: TargetSessionAttrs;
  /** Milliseconds. */
  readonly timeout: number;
}

export interface Search {
  readonly places: readonly Place[];
  readonly targetSessionAttrs: TargetSessionAttrs;
  readonly loadBalanceHosts?: 'disable' | 'random' | undefined;
  /** Milliseconds for all of them together. */
  readonly timeout: number;
}

/** The server is up but does not take connections now. */
const CANNOT_CONNECT_NOW = '57P03';

function shuffled(places: readonly Place[]): readonly Place[] {
  const order = [...places];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [order[i], order[j]] = [order[j] as Place, order[i] as Place];
  }
  return order;
}

function roundsOf({ places, targetSessionAttrs, loadBalanceHosts }: Search): readonly Omit<Try, 'timeout'>[] {
  const order = loadBalanceHosts === 'random' ? shuffled(places) : places;
  // Any is better than none, but only when no standby is to be had.
  const wishes: readonly TargetSessionAttrs[] =
    targetSessionAttrs === 'prefer-standby' ? ['prefer-standby', 'any'] : [targetSessionAttrs];
  return wishes.flatMap((wanted) => order.map((place) => ({ place, wanted })));
}

/** As libpq: who was answered and refused, or whose TLS is not as wished, is not tried elsewhere. */
function mayGoOn(error: unknown): boolean {
  if (!(error instanceof ConnectError) || isTlsFailure(error)) return false;
  if (error instanceof AuthenticationError || error instanceof ServerFullError) return false;
  return error.sqlState === undefined || error.sqlState === CANNOT_CONNECT_NOW;
}

function allFailed(errors: readonly ConnectError[]): ConnectError {
  const reasons = [...new Set(errors.map(({ message }) => message))].join('; ');
  return new ConnectError(`no server could be reached: ${reasons}`, { cause: errors.at(-1), outcome: 'not-sent' });
}

/** The first connection `open` makes. Rejects with the only error there was, or with one that names them all. */
export async function tryPlaces<T>(search: Search, open: (attempt: Try) => Promise<T>): Promise<T> {
  const rounds = roundsOf(search);
  const end = performance.now() + search.timeout;
  const errors: ConnectError[] = [];
  for (let i = 0; i < rounds.length; i++) {
    const timeout = Math.max(1, Math.ceil((end - performance.now()) / (rounds.length - i)));
    try {
      return await open({ ...(rounds[i] as Try), timeout });
    } catch (error) {
      if (rounds.length === 1 || error instanceof CancelledError || !mayGoOn(error)) throw error;
      errors.push(error as ConnectError);
    }
  }
  throw allFailed(errors);
}
