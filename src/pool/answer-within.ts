// The pool's own questions to a server, a ping or a reset, must not wait for ever on a connection that fell silent.
import type { DriverConnection, DriverStatement } from '../driver/driver.ts';
import type { Clock } from '../primitives/clock.ts';

export interface AnswerOptions {
  readonly clock: Clock;
  /** Milliseconds. */
  readonly limit: number;
}

const IGNORE = { row(): void {} };

/** Sends one statement; calls `then` once, with whether the server took it in time. */
export function answerWithin(
  connection: DriverConnection,
  statement: DriverStatement,
  { clock, limit }: AnswerOptions,
  then: (answered: boolean) => void,
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
