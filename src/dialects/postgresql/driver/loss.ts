// What to tell a batch whose connection went away. The point is the outcome: a caller may run the work again only if
// it is certain that it did not happen.
import {
  type AthanorError,
  CancelledError,
  CommitOutcomeUnknownError,
  ConnectionLostError,
  DatabaseError,
  type Outcome,
  ProtocolError,
  TransactionExpiredError,
} from '../../../errors/index.ts';
import { begins, commits, rollsBackAll } from '../sql-keyword.ts';

/** How the connection ended. */
export interface Loss {
  readonly reason: AthanorError;
  /** The server said itself, in an error of its own, that it ends the session: what it had not completed did not happen. */
  readonly announced: boolean;
  readonly connectionId: string;
}

/** A batch under way, as far as its loss has to know it. */
export interface InFlight {
  readonly statements: readonly string[];
  /** Which statement the answers have come to. */
  readonly cursor: number;
  /** All are answered; only the server's end of the answer is missing. */
  readonly complete: boolean;
}

interface Standing {
  /** Whether a transaction is open where the batch begins. */
  readonly open: boolean;
  readonly first: boolean;
}

/** What the statements from `from` to `to` do to a transaction that is `open` before them. */
function walk(
  exchange: InFlight,
  range: { readonly from: number; readonly to: number },
  open: boolean,
): { open: boolean; committed: boolean; autocommitted: boolean } {
  const state = { open, committed: false, autocommitted: false };
  for (const sql of exchange.statements.slice(range.from, range.to)) {
    if (commits(sql)) Object.assign(state, { open: false, committed: true });
    else if (begins(sql)) state.open = true;
    else if (rollsBackAll(sql)) state.open = false;
    else if (!state.open) state.autocommitted = true;
  }
  return state;
}

function outcomeOf(exchange: InFlight, loss: Loss, standing: Standing): Outcome | 'commit' {
  const end = exchange.statements.length;
  if (!standing.first) {
    if (loss.announced) return 'failed';
    const all = walk(exchange, { from: 0, to: end }, standing.open);
    return all.committed ? 'commit' : all.autocommitted ? 'unknown' : 'failed';
  }
  const done = walk(exchange, { from: 0, to: exchange.cursor }, standing.open);
  // All is answered but the end: outside a transaction that is where the batch is committed.
  if (exchange.complete) return done.committed ? 'commit' : done.open ? 'failed' : 'unknown';
  const now = walk(exchange, { from: exchange.cursor, to: loss.announced ? exchange.cursor + 1 : end }, done.open);
  if (now.committed) return 'commit';
  return done.committed || (now.autocommitted && !loss.announced) ? 'unknown' : 'failed';
}

function lossError({ reason, connectionId }: Loss, outcome: Outcome): AthanorError {
  const sqlState = reason instanceof DatabaseError ? reason.sqlState : undefined;
  const options = { outcome, connectionId, sqlState, cause: reason };
  if (reason instanceof ProtocolError) return new ProtocolError(reason.message, options);
  if (reason instanceof TransactionExpiredError) return new TransactionExpiredError(reason.message, options);
  if (reason instanceof CancelledError) return new CancelledError(reason.message, { ...options, cause: reason.cause });
  return new ConnectionLostError(reason.message, options);
}

/** The error for a batch that never left. */
export function notSent(loss: Loss): AthanorError {
  return lossError(loss, 'not-sent');
}

/** The error for a batch that was sent. */
export function lostInFlight(exchange: InFlight, loss: Loss, standing: Standing): AthanorError {
  const outcome = outcomeOf(exchange, loss, standing);
  if (outcome !== 'commit') return lossError(loss, outcome);
  return new CommitOutcomeUnknownError(
    'the connection went away while COMMIT was under way: the transaction may or may not be in the database',
    {
      hint: 'Look for its effects in the database before running it again.',
      outcome: 'unknown',
      connectionId: loss.connectionId,
      cause: loss.reason,
    },
  );
}
