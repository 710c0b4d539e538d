// The exchanges of one connection: written in call order, answered in call order. It knows nothing of sockets; it is
// given a way to write and a way to cancel. One that can be cancelled keeps later ones back until it is answered,
// because a cancel request names no statement and must never hit the next one.
import { CommitRolledBackError, DatabaseError, type AthanorError } from '../../../errors/index.ts';
import { isUserCancel, serverError } from '../errors.ts';
import type { Frame } from '../wire/frame.ts';
import type { Exchange } from './exchange.ts';
import { neverSent } from './cancelled.ts';
import { lostInFlight, type Loss, notSent } from './loss.ts';
import { MessageWriter } from '../wire/message-writer.ts';
import { violation } from '../wire/protocol.ts';
import type { ServerFields } from '../wire/server-message.ts';
import { commits, rollsBack } from '../sql-keyword.ts';
import { StatementCache } from '../wire/statement-cache.ts';
import { TransactionState } from '../wire/transaction-state.ts';

export interface PipelineLink {
  readonly connectionId: string;
  readonly statementCacheSize: number;
  /** Writes; true if the bytes are still being read when it returns. */
  write(bytes: Buffer): boolean;
  /** Sends a cancel request out of band; settles when the server has taken it. */
  cancel(): Promise<void>;
  /** Drops the connection for a batch whose cancel could not be brought about. */
  abandon(error: AthanorError): void;
}

/**
 * After these the server's idea of the statement is not ours (its result changed, it is gone, its type is gone): it is
 * forgotten, and outside a transaction parsed anew and run again, once.
 */
const STALE: ReadonlySet<string> = new Set(['0A000', '26000', 'XX000']);

/** Between two cancel requests for one batch, in milliseconds. */
const CANCEL_PAUSE = 250;
/** How long a batch may stay unanswered after its first cancel before the connection is given up, in milliseconds. */
const CANCEL_GRACE = 10_000;

export class Pipeline {
  readonly state: TransactionState = new TransactionState();
  readonly #link: PipelineLink;
  readonly #writer = new MessageWriter();
  readonly #cache: StatementCache;
  #head: Exchange | undefined;
  #tail: Exchange | undefined;
  #waiting: Exchange[] = [];
  #cancelling: Promise<void> | undefined;
  #flushing = false;
  #loss: Loss | undefined;
  #closing: Loss | undefined;
  #quiet: () => void = () => {};
  readonly #flush = (): void => {
    this.#flushing = false;
    if (this.#writer.offset === 0 || this.#loss !== undefined) return;
    this.#writer.reset(this.#link.write(this.#writer.written));
  };

  constructor(link: PipelineLink) {
    this.#link = link;
    this.#cache = new StatementCache(link.statementCacheSize);
  }

  /** The batch whose answers are due. */
  get head(): Exchange | undefined {
    return this.#head;
  }

  /** Statements get no names from now on, and those they have are forgotten. */
  withoutNames(): void {
    this.#cache.stopNaming();
  }

  submit(exchange: Exchange): void {
    const refused = this.#loss ?? this.#closing;
    if (refused !== undefined) return exchange.reject(notSent(refused));
    const { signal } = exchange;
    if (signal?.aborted === true) return exchange.reject(neverSent(signal));
    if (signal !== undefined) this.#listen(exchange, signal);
    if (this.#held || this.#waiting.length > 0) this.#waiting.push(exchange);
    else this.#send(exchange);
  }

  /** Has the server stop an exchange whose answer nobody wants any more, if it is the one that runs. */
  stop(exchange: Exchange): void {
    if (this.#head === exchange && exchange.cancelling === undefined) this.#cancelHead(exchange);
  }

  /** Has the server stop what runs now; nothing new is sent until that is over. */
  cancel(): Promise<void> {
    const exchange = this.#head;
    if (exchange === undefined || this.#loss !== undefined) return Promise.resolve();
    exchange.cancelSent = true;
    this.#cancelling ??= this.#link.cancel().finally(() => {
      this.#cancelling = undefined;
      this.#pump();
    });
    return this.#cancelling;
  }

  /** DataRow, on its own because it is nearly everything there is. */
  row(frame: Frame): void {
    const exchange = this.#head;
    if (exchange === undefined) return violation('a row that nobody asked for');
    exchange.row(frame);
  }

  answer(frame: Frame): void {
    const exchange = this.#head;
    if (exchange === undefined) return violation(`message '${String.fromCharCode(frame.type)}' that nobody asked for`);
    const { cursor } = exchange;
    const command = exchange.answer(frame);
    if (command !== undefined) this.#completed(exchange, command, cursor);
  }

  /** An ErrorResponse that does not end the session. */
  error(fields: ServerFields): void {
    const exchange = this.#head;
    if (exchange === undefined) return violation('an error outside of any statement');
    const { statements, cursor } = exchange;
    const sql = statements[Math.min(cursor, statements.length - 1)];
    this.state.failed(sql !== undefined && commits(sql));
    const context = {
      statementIndex: exchange.complete ? undefined : exchange.cursor,
      sql,
      connectionId: this.#link.connectionId,
    };
    const error = serverError(fields, context);
    const cancelled = fields['C'] === '57014' && (exchange.cancelSent || isUserCancel(fields));
    exchange.fail(cancelled ? exchange.cancelled(error) : error);
  }

  /** ReadyForQuery: the head is answered. */
  ready(status: number): void {
    const exchange = this.#head;
    if (exchange === undefined) return violation('the end of an answer that nobody asked for');
    const before = this.state.status;
    this.state.ready(status);
    exchange.ready(this.state.status);
    this.#settleStatements(exchange);
    if (this.#mayRetry(exchange, before)) return this.#again(exchange);
    this.#head = exchange.next;
    if (this.#head === undefined) this.#tail = undefined;
    this.#finish(exchange);
    if (this.#head === undefined) this.#quiet();
    if (this.#head?.signal?.aborted === true) this.#cancelHead(this.#head);
    if (this.#waiting.length > 0) this.#pump();
  }

  /** Nothing new is accepted, and what was not sent is not sent any more. Settles when all that was is answered. */
  close(loss: Loss): Promise<void> {
    this.#closing ??= loss;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const exchange of waiting) {
      exchange.error = notSent(loss);
      this.#finish(exchange);
    }
    this.#flush();
    if (this.#head === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.#quiet = resolve;
    });
  }

  /** The connection is gone: everything is settled, nothing is accepted any more. */
  lost(loss: Loss): void {
    if (this.#loss !== undefined) return;
    this.#loss = loss;
    let open = this.state.status !== 'idle';
    const sent: Exchange[] = [];
    for (let exchange = this.#head; exchange !== undefined; exchange = exchange.next) sent.push(exchange);
    this.#head = this.#tail = undefined;
    this.state.close();
    sent.forEach((exchange, i) => {
      // What a later batch finds is unknown once an earlier one is cut off; outside a transaction is the careful guess.
      if (exchange.error === undefined) exchange.error = lostInFlight(exchange, loss, { open, first: i === 0 });
      open = false;
      this.#finish(exchange);
    });
    void this.close(loss);
    this.#quiet();
  }

  get #held(): boolean {
    return this.#cancelling !== undefined || (this.#tail !== undefined && this.#tail.exclusive);
  }

  #pump(): void {
    while (this.#waiting.length > 0 && !this.#held && this.#loss === undefined)
      this.#send(this.#waiting.shift() as Exchange);
  }

  #send(exchange: Exchange): void {
    try {
      exchange.write({ writer: this.#writer, cache: this.#cache });
    } catch (error) {
      exchange.error = error;
      this.#finish(exchange);
      return;
    }
    if (this.#tail === undefined) this.#head = exchange;
    else this.#tail.next = exchange;
    this.#tail = exchange;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(this.#flush);
  }

  #completed(exchange: Exchange, command: string, statementIndex: number): void {
    this.state.completed(command);
    if (command === 'ROLLBACK') {
      const sql = exchange.statements[statementIndex];
      if (sql === undefined || rollsBack(sql)) return;
      exchange.error ??= new CommitRolledBackError(
        'the transaction had already failed: COMMIT was answered by ROLLBACK',
        {
          outcome: 'failed',
          connectionId: this.#link.connectionId,
          statementIndex,
        },
      );
    } else if (command === 'DISCARD ALL' || command === 'DEALLOCATE ALL') this.#cache.clear();
  }

  /** After an answer: what was not parsed is not there, what the server refused to run as it was is stale. */
  #settleStatements(exchange: Exchange): void {
    for (const statement of exchange.created) if (!statement.ready) this.#cache.remove(statement);
    if (!isStale(exchange.error)) return;
    const failed = exchange.failedStatement;
    if (failed !== undefined) this.#cache.evict(failed);
  }

  #mayRetry(exchange: Exchange, before: string): boolean {
    if (!isStale(exchange.error) || exchange.failedStatement === undefined) return false;
    const alone = exchange.next === undefined;
    return alone && exchange.repeatable && before === 'idle' && this.state.status === 'idle';
  }

  #again(exchange: Exchange): void {
    this.#head = this.#tail = undefined;
    this.#send(exchange);
  }

  #finish(exchange: Exchange): void {
    clearTimeout(exchange.cancelling?.timer);
    if (exchange.onAbort !== undefined) exchange.signal?.removeEventListener('abort', exchange.onAbort);
    exchange.settle();
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
      this.#finish(exchange);
      return;
    }
    exchange.abort();
    if (this.#head === exchange) this.#cancelHead(exchange);
  }

  /**
   * Nothing is in flight behind an exchange with a signal, so the request can only meet this one. It is repeated
   * until there is an answer: one that arrives between two statements of a batch is dropped by the server.
   */
  #cancelHead(exchange: Exchange): void {
    exchange.cancelling ??= { since: performance.now() };
    const { cancelling } = exchange;
    this.cancel().then(
      () => {
        if (this.#head !== exchange) return;
        cancelling.timer = setTimeout(() => this.#cancelAgain(exchange, cancelling.since), CANCEL_PAUSE).unref();
      },
      (error: unknown) => {
        // A request that cannot be delivered leaves one way to stop waiting. An answered batch needs none.
        if (this.#head === exchange) this.#link.abandon(exchange.cancelled(error));
      },
    );
  }

  #cancelAgain(exchange: Exchange, since: number): void {
    if (this.#head !== exchange) return;
    if (performance.now() - since < CANCEL_GRACE) this.#cancelHead(exchange);
    else this.#link.abandon(exchange.cancelled(undefined));
  }
}

/** Whether the server's idea of a statement it knew is not ours any more. */
export function isStale(error: unknown): boolean {
  return error instanceof DatabaseError && STALE.has(error.sqlState ?? '');
}
