// The batches of one connection: written in call order, answered in call order. It knows nothing of sockets; it is
// given a way to write and a way to cancel. A batch with a signal keeps later ones back until it is answered, because
// a cancel request names no statement and must never hit the next one.
import { CancelledError, CommitRolledBackError, DatabaseError, type AthanorError } from '../../../errors/index.ts';
import { isUserCancel, serverError } from '../errors.ts';
import type { Frame } from '../wire/frame.ts';
import { lostInFlight, type Loss, notSent } from './loss.ts';
import { MessageWriter } from '../wire/message-writer.ts';
import { Operation, type OperationSource } from './operation.ts';
import { violation } from '../wire/protocol.ts';
import { sendBatch } from './send-batch.ts';
import type { ServerFields } from '../wire/server-message.ts';
import { commits, rollsBack } from './sql-keyword.ts';
import { StatementCache } from './statement-cache.ts';
import { TransactionState } from './transaction-state.ts';

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
  #head: Operation | undefined;
  #tail: Operation | undefined;
  #waiting: Operation[] = [];
  #cancelling: Promise<void> | undefined;
  #flushing = false;
  #loss: Loss | undefined;
  #closing: Loss | undefined;
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
  get head(): Operation | undefined {
    return this.#head;
  }

  submit(source: OperationSource): Promise<void> {
    return new Promise((resolve, reject) => {
      const operation = new Operation(source, resolve, reject);
      const refused = this.#loss ?? this.#closing;
      if (refused !== undefined) return reject(notSent(refused));
      if (source.signal?.aborted === true) return reject(neverSent(source.signal));
      if (source.signal !== undefined) this.#listen(operation, source.signal);
      if (this.#held || this.#waiting.length > 0) this.#waiting.push(operation);
      else this.#send(operation);
    });
  }

  /** Has the server stop what runs now; nothing new is sent until that is over. */
  cancel(): Promise<void> {
    const operation = this.#head;
    if (operation === undefined || this.#loss !== undefined) return Promise.resolve();
    operation.cancelSent = true;
    this.#cancelling ??= this.#link.cancel().finally(() => {
      this.#cancelling = undefined;
      this.#pump();
    });
    return this.#cancelling;
  }

  /** DataRow, on its own because it is nearly everything there is. */
  row(frame: Frame): void {
    const operation = this.#head;
    if (operation === undefined) return violation('a row that nobody asked for');
    operation.row(frame);
  }

  answer(frame: Frame): void {
    const operation = this.#head;
    if (operation === undefined) return violation(`message '${String.fromCharCode(frame.type)}' that nobody asked for`);
    const { cursor } = operation;
    const command = operation.answer(frame);
    if (command !== undefined) this.#completed(operation, command, cursor);
  }

  /** An ErrorResponse that does not end the session. */
  error(fields: ServerFields): void {
    const operation = this.#head;
    if (operation === undefined) return violation('an error outside of any statement');
    const sql = operation.current?.text.sql;
    this.state.failed(sql !== undefined && commits(sql));
    const context = {
      statementIndex: operation.complete ? undefined : operation.cursor,
      sql,
      connectionId: this.#link.connectionId,
    };
    const error = serverError(fields, context);
    const cancelled = fields['C'] === '57014' && (operation.cancelSent || isUserCancel(fields));
    operation.fail(cancelled ? cancelledBy(operation, error) : error);
  }

  /** ReadyForQuery: the head is answered. */
  ready(status: number): void {
    const operation = this.#head;
    if (operation === undefined) return violation('the end of an answer that nobody asked for');
    operation.ready();
    const before = this.state.status;
    this.state.ready(status);
    this.#settleStatements(operation);
    if (this.#mayRetry(operation, before)) return this.#again(operation);
    this.#head = operation.next;
    if (this.#head === undefined) this.#tail = undefined;
    this.#finish(operation);
    if (this.#head?.signal?.aborted === true) this.#cancelHead(this.#head);
    if (this.#waiting.length > 0) this.#pump();
  }

  /** Nothing new is accepted, and what was not sent is not sent any more. */
  close(loss: Loss): void {
    this.#closing ??= loss;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const operation of waiting) {
      operation.error = notSent(loss);
      this.#finish(operation);
    }
    this.#flush();
  }

  /** The connection is gone: everything is settled, nothing is accepted any more. */
  lost(loss: Loss): void {
    if (this.#loss !== undefined) return;
    this.#loss = loss;
    let open = this.state.status !== 'idle';
    const sent: Operation[] = [];
    for (let operation = this.#head; operation !== undefined; operation = operation.next) sent.push(operation);
    this.#head = this.#tail = undefined;
    this.state.close();
    sent.forEach((operation, i) => {
      // What a later batch finds is unknown once an earlier one is cut off; outside a transaction is the careful guess.
      if (operation.error === undefined) operation.error = lostInFlight(operation, loss, { open, first: i === 0 });
      open = false;
      this.#finish(operation);
    });
    this.close(loss);
  }

  get #held(): boolean {
    return this.#cancelling !== undefined || (this.#tail !== undefined && this.#tail.signal !== undefined);
  }

  #pump(): void {
    while (this.#waiting.length > 0 && !this.#held && this.#loss === undefined)
      this.#send(this.#waiting.shift() as Operation);
  }

  #send(operation: Operation): void {
    try {
      operation.began(sendBatch({ writer: this.#writer, cache: this.#cache }, operation.batch));
    } catch (error) {
      operation.error = error;
      this.#finish(operation);
      return;
    }
    if (this.#tail === undefined) this.#head = operation;
    else this.#tail.next = operation;
    this.#tail = operation;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(this.#flush);
  }

  #completed(operation: Operation, command: string, statementIndex: number): void {
    this.state.completed(command);
    const sql = operation.sent?.executions[statementIndex]?.text.sql;
    if (command === 'ROLLBACK' && sql !== undefined && !rollsBack(sql)) {
      operation.error ??= new CommitRolledBackError(
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
  #settleStatements(operation: Operation): void {
    for (const statement of operation.sent?.created ?? []) if (!statement.ready) this.#cache.remove(statement);
    const { error } = operation;
    if (!(error instanceof DatabaseError) || !STALE.has(error.sqlState ?? '')) return;
    const failed = operation.sent?.executions[operation.failedAt];
    if (failed !== undefined && operation.failedCached) this.#cache.evict(failed.statement);
  }

  #mayRetry(operation: Operation, before: string): boolean {
    const { error } = operation;
    const alone = operation.next === undefined;
    if (!(error instanceof DatabaseError) || !STALE.has(error.sqlState ?? '') || !operation.failedCached) return false;
    return (
      alone &&
      !operation.retried &&
      !operation.delivered &&
      before === 'idle' &&
      this.state.status === 'idle' &&
      operation.failedAt === 0
    );
  }

  #again(operation: Operation): void {
    operation.retried = true;
    this.#head = this.#tail = undefined;
    this.#send(operation);
  }

  #finish(operation: Operation): void {
    clearTimeout(operation.cancelling?.timer);
    if (operation.onAbort !== undefined) operation.signal?.removeEventListener('abort', operation.onAbort);
    if (operation.error === undefined) operation.resolve();
    else operation.reject(operation.error);
  }

  #listen(operation: Operation, signal: AbortSignal): void {
    operation.onAbort = () => this.#aborted(operation, signal);
    signal.addEventListener('abort', operation.onAbort, { once: true });
  }

  #aborted(operation: Operation, signal: AbortSignal): void {
    const index = this.#waiting.indexOf(operation);
    if (index !== -1) {
      this.#waiting.splice(index, 1);
      operation.error = neverSent(signal);
      this.#finish(operation);
      return;
    }
    if (this.#head === operation) this.#cancelHead(operation);
  }

  /**
   * Nothing is in flight behind an operation with a signal, so the request can only meet this one. It is repeated
   * until there is an answer: one that arrives between two statements of a batch is dropped by the server.
   */
  #cancelHead(operation: Operation): void {
    operation.cancelling ??= { since: performance.now() };
    const { cancelling } = operation;
    this.cancel().then(
      () => {
        if (this.#head !== operation) return;
        cancelling.timer = setTimeout(() => this.#cancelAgain(operation, cancelling.since), CANCEL_PAUSE).unref();
      },
      (error: unknown) => {
        // A request that cannot be delivered leaves one way to stop waiting. An answered batch needs none.
        if (this.#head === operation) this.#link.abandon(cancelledBy(operation, error));
      },
    );
  }

  #cancelAgain(operation: Operation, since: number): void {
    if (this.#head !== operation) return;
    if (performance.now() - since < CANCEL_GRACE) this.#cancelHead(operation);
    else this.#link.abandon(cancelledBy(operation, undefined));
  }
}

function neverSent(signal: AbortSignal): CancelledError {
  return new CancelledError('cancelled before it was sent', { cause: signal.reason, outcome: 'not-sent' });
}

function cancelledBy(operation: Operation, cause: unknown): CancelledError {
  const reason: unknown = operation.signal?.aborted === true ? operation.signal.reason : cause;
  return new CancelledError('the statement was cancelled', { cause: reason, outcome: 'failed' });
}
