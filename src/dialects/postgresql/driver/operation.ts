// One submitted batch: what was sent for it, and the reading of its answers in the only order the protocol allows.
// Anything out of that order is a violation, which ends the connection.
import type { DriverStatement, Scalar, Sink, StatementText } from '../../../driver/driver.ts';
import { DataError } from '../../../errors/index.ts';
import { readTag, type CompletionTag } from '../wire/completion-tag.ts';
import { readColumns, readParameterTypes } from '../wire/description.ts';
import type { Frame } from '../wire/frame.ts';
import { firstDecoder, type PreparedStatement } from './prepared-statement.ts';
import { BACKEND, violation } from '../wire/protocol.ts';
import type { RowDecoder } from '../wire/row-decoder.ts';

/** One statement of a batch as it was sent. */
export interface Execution {
  readonly text: StatementText;
  readonly statement: PreparedStatement;
  /** Parse and Describe were sent with it. */
  readonly parsed: boolean;
  /** How many times it was bound and run. */
  readonly sets: number;
  /** Undefined until the columns are known, and for statements without rows. */
  decode: RowDecoder | undefined;
}

/** What a batch became as messages. */
export interface SentBatch {
  readonly executions: readonly Execution[];
  /** Named statements this batch has the server parse. */
  readonly created: readonly PreparedStatement[];
  /** How many Close messages went before it. */
  readonly closes: number;
}

const CLOSING = 0;
const PARSING = 1;
const PARAMETERS = 2;
const COLUMNS = 3;
const BINDING = 4;
const ROWS = 5;
const READY = 6;
const SKIPPING = 7;

export interface OperationSource {
  readonly batch: readonly DriverStatement[];
  readonly sink: Sink;
  readonly signal: AbortSignal | undefined;
}

export class Operation {
  readonly batch: readonly DriverStatement[];
  readonly sink: Sink;
  readonly signal: AbortSignal | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  next: Operation | undefined;
  onAbort: (() => void) | undefined;
  sent: SentBatch | undefined;
  /** Which execution the answers have come to. */
  cursor = 0;
  error: unknown;
  /** Which statement `error` belongs to. */
  failedAt = 0;
  /** Whether the sink has seen anything: then the batch cannot be run again in secret. */
  delivered = false;
  /** True while the sink's own code runs, so that what it throws is known to be its. */
  inSink = false;
  retried = false;
  cancelSent = false;
  /** When the first cancel for the signal was sent, and the timer of the next one. */
  cancelling: { readonly since: number; timer?: NodeJS.Timeout } | undefined;
  #stage = CLOSING;
  #closesLeft = 0;
  #setsLeft = 0;
  #count: number | undefined;
  #muted = false;

  constructor(source: OperationSource, resolve: () => void, reject: (error: unknown) => void) {
    this.batch = source.batch;
    this.sink = source.sink;
    this.signal = source.signal;
    this.resolve = resolve;
    this.reject = reject;
  }

  /** It was written: answers may come. */
  began(sent: SentBatch): void {
    this.sent = sent;
    this.error = undefined;
    this.cursor = 0;
    this.#closesLeft = sent.closes;
    if (sent.closes > 0) this.#stage = CLOSING;
    else this.#enter(0);
  }

  /** The statement answers are expected for now, or the last one. */
  get current(): Execution | undefined {
    return this.sent?.executions[Math.min(this.cursor, this.sent.executions.length - 1)];
  }

  /** Every statement is answered; only ReadyForQuery is missing. */
  get complete(): boolean {
    return this.#stage === READY;
  }

  /** Whether the failed statement was already known to the server, so that parsing it anew may help. */
  get failedCached(): boolean {
    const execution = this.sent?.executions[this.failedAt];
    return execution !== undefined && !execution.parsed && execution.statement.name !== '';
  }

  /** DataRow. */
  row(frame: Frame): void {
    if (this.#stage !== ROWS) violation('a row where none was due');
    if (this.#muted) return;
    const execution = this.current as Execution;
    if (execution.decode === undefined) return violation('a row before its description');
    let row: Scalar[];
    try {
      row = execution.decode(frame);
    } catch (error) {
      this.#refuse(error, execution);
      return;
    }
    this.inSink = true;
    this.sink.row(this.cursor, row);
    this.inSink = false;
  }

  /** Any other message that answers a statement. Gives the completed command where there is one. */
  answer(frame: Frame): string | undefined {
    switch (frame.type) {
      case BACKEND.bindComplete:
        this.#expect(BINDING, ROWS);
        this.#bound(this.current as Execution);
        return undefined;
      case BACKEND.commandComplete:
        return this.#completed(readTag(frame));
      case BACKEND.emptyQuery:
        return this.#completed({ command: '', count: undefined });
      case BACKEND.parseComplete:
        this.#expect(PARSING, PARAMETERS);
        return undefined;
      case BACKEND.parameterDescription:
        this.#expect(PARAMETERS, COLUMNS);
        (this.current as Execution).statement.parameterTypes = readParameterTypes(frame);
        return undefined;
      case BACKEND.rowDescription:
        this.#expect(COLUMNS, BINDING);
        (this.current as Execution).statement.columns = readColumns(frame);
        (this.current as Execution).statement.ready = true;
        return undefined;
      case BACKEND.noData:
        this.#expect(COLUMNS, BINDING);
        (this.current as Execution).statement.ready = true;
        return undefined;
      case BACKEND.closeComplete:
        this.#closed();
        return undefined;
      default:
        return violation(`message '${String.fromCharCode(frame.type)}' in the answer to a statement`);
    }
  }

  /** ErrorResponse: the rest of the batch is not run. */
  fail(error: unknown): void {
    if (this.#stage === SKIPPING) violation('a second error for one batch');
    this.#stage = SKIPPING;
    if (this.error !== undefined) return;
    this.error = error;
    this.failedAt = this.cursor;
  }

  /** ReadyForQuery. */
  ready(): void {
    if (this.#stage !== READY && this.#stage !== SKIPPING) violation('the end of an answer before all of it');
  }

  #expect(stage: number, next: number): void {
    if (this.#stage !== stage) violation('the messages of an answer in the wrong order');
    this.#stage = next;
  }

  #closed(): void {
    if (this.#stage !== CLOSING) violation('a statement closed that nobody asked to close');
    this.#closesLeft -= 1;
    if (this.#closesLeft === 0) this.#enter(0);
  }

  #enter(cursor: number): void {
    const executions = this.sent?.executions ?? [];
    this.cursor = cursor;
    this.#count = undefined;
    const execution = executions[cursor];
    if (execution === undefined) {
      this.#stage = READY;
      return;
    }
    this.#setsLeft = execution.sets;
    this.#stage = execution.parsed ? PARSING : BINDING;
  }

  #bound(execution: Execution): void {
    const { columns } = execution.statement;
    if (columns === undefined || this.#setsLeft < execution.sets) return;
    execution.decode ??= firstDecoder(execution.text, columns);
    this.#deliver(() => this.sink.fields?.(this.cursor, columns));
  }

  #completed(tag: CompletionTag): string {
    if (this.#stage !== ROWS) violation('a completed statement that did not run');
    if (tag.count !== undefined) this.#count = (this.#count ?? 0) + tag.count;
    this.#setsLeft -= 1;
    if (this.#setsLeft > 0) {
      this.#stage = BINDING;
      return tag.command;
    }
    const completion = { command: tag.command, count: this.#count };
    this.#deliver(() => this.sink.done?.(this.cursor, completion));
    this.#enter(this.cursor + 1);
    return tag.command;
  }

  #deliver(tell: () => void): void {
    if (this.#muted) return;
    this.delivered = true;
    this.inSink = true;
    tell();
    this.inSink = false;
  }

  /** A value that does not fit fails the batch, though the server goes on: what follows is read and dropped. */
  #refuse(error: unknown, execution: Execution): void {
    if (!(error instanceof DataError)) throw error;
    this.error = new DataError(error.message, {
      column: error.column,
      statementIndex: this.cursor,
      sql: execution.text.sql,
      outcome: 'failed',
    });
    this.failedAt = this.cursor;
    this.#muted = true;
  }
}
