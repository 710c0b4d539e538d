// The pool's own questions to a server, a ping or a reset, must not wait for ever on a connection that fell silent.
import type { DriverConnection, DriverStatement } from '../driver/driver.ts';
import type { Clock } from '../primitives/clock.ts';

export interface AnswerOptions {
  readonly clock: Clock;
  /** Milliseconds. */
  readonly limit: number;
  /** Called once, with whether the server took the statement in time. */
  readonly then: (answered: boolean) => void;
}

const IGNORE = { row(): void {} };

/** Sends one statement and says how that went. */
export function answerWithin(
  connection: DriverConnection,
  statement: DriverStatement,
  { clock, limit, then }: AnswerOptions,
): void {
  let open = true;
  const settle = (answered: boolean): void => {
    if (!open) return;
    open = false;
    timer.cancel();
    then(answered);
  };
  const timer = clock.timer(limit, () => settle(false));
  connection.submit([statement], IGNORE).then(
    () => settle(true),
    () => settle(false),
  );
}
