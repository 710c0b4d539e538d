// How a transaction ends that does not end as it was meant to, in words.
import {
  type AthanorError,
  CommitOutcomeUnknownError,
  CommitRolledBackError,
  FlushError,
  StateError,
} from '../errors/index.ts';

/** A statement failed, and another one was to follow it. */
export function transactionFailed(cause: AthanorError): StateError {
  return new StateError(`The transaction failed earlier and cannot go on: ${cause.message.split('\n', 1)[0]}`, {
    hint: 'Call rollback(), to the savepoint before the failure where there is one, and run it again.',
    outcome: 'not-sent',
    cause,
  });
}

/** A statement of the user's was COMMIT or ROLLBACK. */
export function endedBySql(connectionId: string): StateError {
  return new StateError('The statement ended the transaction it ran in, which is not its to end.', {
    hint: 'Use commit() and rollback() of the session, connection or transaction. Call rollback() to go on.',
    connectionId,
  });
}

/** COMMIT came too late. */
export function rolledBack(connectionId: string | undefined, cause: AthanorError | undefined): CommitRolledBackError {
  return new CommitRolledBackError('COMMIT was answered by ROLLBACK: nothing of the transaction is in the database.', {
    hint: 'A statement of the transaction had failed. Run the whole transaction again.',
    connectionId,
    outcome: 'failed',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** COMMIT went along and was carried out, though what came back before it could not be used. */
export function committedAnyway(cause: unknown, connectionId?: string): FlushError {
  const why = (cause instanceof Error ? cause.message : String(cause)).split('\n', 1)[0];
  return new FlushError(`The transaction was committed, but what the database sent back could not be used: ${why}`, {
    hint: 'Its rows are in the database: do not run it again. Load them to go on.',
    outcome: 'committed',
    connectionId,
    cause,
  });
}

/** COMMIT was sent, and nobody can say what became of it. */
export function unknownOutcome(
  cause: AthanorError,
  connectionId: string,
  transactionId: string | null | undefined,
): CommitOutcomeUnknownError {
  return new CommitOutcomeUnknownError(
    'The connection went away, or no answer came, while COMMIT was under way: the transaction may or may not be in the database.',
    {
      hint:
        transactionId === undefined
          ? 'Look for its effect before running it again. With { trackOutcome: true } engine.resolveOutcome() can tell.'
          : 'engine.resolveOutcome(error) asks the server what became of it.',
      outcome: 'unknown',
      connectionId,
      transactionId,
      cause,
    },
  );
}

/** BEGIN has said it otherwise. */
export function beganOtherwise(): StateError {
  return new StateError('The transaction has begun: isolation, readOnly, deferrable and trackOutcome come too late.', {
    hint: 'Set them before the first statement, or after commit() or rollback().',
    outcome: 'not-sent',
  });
}
