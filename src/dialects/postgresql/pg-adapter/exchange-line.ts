// The exchanges of one connection, in call order and one at a time: node-postgres would queue them too, but could not
// take one out again, and a cancel request names no statement and must never hit the next one.
import { CommitRolledBackError, type AthanorError } from '../../../errors/index.ts';
import { cancelledBy, neverSent } from '../driver/cancelled.ts';
import { type Loss, lostInFlight, notSent } from '../driver/loss.ts';
import { commits, rollsBack } from '../sql-keyword.ts';
import type { StatementCache } from '../wire/statement-cache.ts';
import { TransactionState } from '../wire/transaction-state.ts';
import { isUserCancel, serverError } from '../errors.ts';
import { violation } from '../wire/protocol.ts';
import type { ServerFields } from '../wire/server-message.ts';
import type { Exchange, Write } from './exchange.ts';
import type { PgMessage } from './pg-module.ts';

export interface LineLink {
  readonly connectionId: string;
  readonly cache: StatementCache;
  /** Hands an exchange to node-postgres. */
  send(exchange: Exchange, write: Write): void;
  /** Sends a cancel request out of band; settles when the server has taken it. */
  cancel(): Promise<void>;
  /** Drops the connection for an exchange whose cancel could not be brought about. */
  abandon(error: AthanorError): void;
}

/** Between two cancel requests for one exchange, in milliseconds. */
const CANCEL_PAUSE = 250;
/** How long an exchange may stay unanswered after its first cancel before the connection is given up, in milliseconds. */
const CANCEL_GRACE = 10_000;

export class ExchangeLine {
  readonly state: TransactionState = new TransactionState();
  readonly #link: LineLink;
  #current: Exchange | undefined;
  #waiting: Exchange[] = [];
  #cancelling: Promise<void> | undefined;
  #loss: Loss | undefined;
  #closing: Loss | undefined;
  #drained: () => void = () => {};

  constructor(link: LineLink) {
    this.#link = link;
  }

  /** The exchange whose answers are due. */
  get current(): Exchange | undefined {
    return this.#current;
  }

  run(exchange: Exchange): Promise<void> {
    const { signal } = exchange;
    const refused = this.#loss ?? this.#closing;
    if (refused !== undefined) exchange.error = notSent(refused);
    else if (signal?.aborted === true) exchange.error = neverSent(signal);
    if (exchange.error !== undefined) exchange.finish();
    else {
      if (signal !== undefined) this.#listen(exchange, signal);
      this.#waiting.push(exchange);
      this.#pump();
    }
    return exchange.settled;
  }

  /** Has the server stop what runs now; nothing new is sent until that is over. */
  cancel(): Promise<void> {
    const exchange = this.#current;
    if (exchange === undefined || this.#loss !== undefined) return Promise.resolve();
    exchange.cancelSent = true;
    this.#cancelling ??= this.#link.cancel().finally(() => {
      this.#cancelling = undefined;
      this.#pump();
    });
    return this.#cancelling;
  }

  answer(message: PgMessage): void {
    const exchange = this.#current;
    if (exchange === undefined) return violation(`message '${message.name}' that nobody asked for`);
    const { cursor } = exchange;
    const command = exchange.answer(message);
    if (command !== undefined) this.#completed(exchange, command, cursor);
  }

  /** An error that does not end the session. */
  refused(fields: ServerFields): void {
    const exchange = this.#current;
    if (exchange === undefined) return violation('an error outside of any statement');
    const sql = exchange.statements[exchange.cursor];
    this.state.failed(sql !== undefined && commits(sql));
    const statementIndex = exchange.complete ? undefined : exchange.cursor;
    const error = serverError(fields, { statementIndex, sql, connectionId: this.#link.connectionId });
    const cancelled = fields['C'] === '57014' && (exchange.cancelSent || isUserCancel(fields));
    exchange.fail(cancelled ? cancelledBy(exchange.signal, error) : error);
  }

  /** The exchange is answered. */
  ready(status: number): void {
    const exchange = this.#current;
    if (exchange === undefined) return violation('the end of an answer that nobody asked for');
    if (!exchange.complete && exchange.error === undefined) violation('the end of an answer before all of it');
    const before = this.state.status;
    this.state.ready(status);
    if (exchange.again(before, this.state.status)) return this.#start(exchange);
    const rest = exchange.rest();
    if (rest === undefined) this.#over(exchange);
    else void rest.then(() => this.#over(exchange));
  }

  /** Nothing new is accepted. Settles when nothing is under way any more. */
  close(loss: Loss): Promise<void> {
    this.#closing ??= loss;
    if (this.#current === undefined && this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  /** The connection is gone: everything is settled, nothing is accepted any more. */
  lost(loss: Loss): void {
    if (this.#loss !== undefined) return;
    this.#loss = loss;
    const open = this.state.status !== 'idle';
    this.state.close();
    const exchange = this.#current;
    this.#current = undefined;
    if (exchange !== undefined) {
      exchange.error ??= lostInFlight(exchange, loss, { open, first: true });
      exchange.finish();
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) {
      one.error = notSent(loss);
      one.finish();
    }
    this.#drained();
  }

  #pump(): void {
    while (this.#current === undefined && this.#cancelling === undefined && this.#loss === undefined) {
      const next = this.#waiting.shift();
      if (next === undefined) return this.#drained();
      this.#start(next);
    }
  }

  #start(exchange: Exchange): void {
    let write: Write;
    try {
      write = exchange.compose(this.state.status);
    } catch (error) {
      exchange.error = error;
      this.#current = undefined;
      exchange.finish();
      return;
    }
    this.#current = exchange;
    this.#link.send(exchange, write);
  }

  #over(exchange: Exchange): void {
    if (this.#current !== exchange) return;
    this.#current = undefined;
    exchange.finish();
    this.#pump();
  }

  #completed(exchange: Exchange, command: string, statementIndex: number): void {
    this.state.completed(command);
    const sql = exchange.statements[statementIndex];
    if (command === 'ROLLBACK' && sql !== undefined && !rollsBack(sql)) {
      const { connectionId } = this.#link;
      exchange.error ??= new CommitRolledBackError(
        'the transaction had already failed: COMMIT was answered by ROLLBACK',
        { outcome: 'failed', connectionId, statementIndex },
      );
    } else if (command === 'DISCARD ALL' || command === 'DEALLOCATE ALL') this.#link.cache.clear();
  }

  #listen(exchange: Exchange, signal: AbortSignal): void {
    exchange.onAbort = () => this.#aborted(exchange, signal);
    signal.addEventListener('abort', exchange.onAbort, { once: true });
  }

  #aborted(exchange: Exchange, signal: AbortSignal): void {
    const index = this.#waiting.indexOf(exchange);
    if (index !== -1) {
      this.#waiting.splice(index, 1);
      exchange.error = neverSent(signal);
      exchange.finish();
    } else if (this.#current === exchange) {
      exchange.aborted();
      this.#cancelCurrent(exchange);
    }
  }

  /** Repeated until there is an answer: a request that arrives between two statements is dropped by the server. */
  #cancelCurrent(exchange: Exchange): void {
    exchange.cancelling ??= { since: performance.now() };
    const { cancelling } = exchange;
    this.cancel().then(
      () => {
        if (this.#current !== exchange) return;
        cancelling.timer = setTimeout(() => this.#cancelAgain(exchange, cancelling.since), CANCEL_PAUSE).unref();
      },
      (error: unknown) => {
        // A request that cannot be delivered leaves one way to stop waiting. An answered exchange needs none.
        if (this.#current === exchange) this.#link.abandon(cancelledBy(exchange.signal, error));
      },
    );
  }

  #cancelAgain(exchange: Exchange, since: number): void {
    if (this.#current !== exchange) return;
    if (performance.now() - since < CANCEL_GRACE) this.#cancelCurrent(exchange);
    else this.#link.abandon(cancelledBy(exchange.signal, undefined));
  }
}
