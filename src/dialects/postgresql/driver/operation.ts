// One submitted batch: what was sent for it, and the reading of its answers in the only order the protocol allows.
// Anything out of that order is a violation, which ends the connection.
import type { DriverStatement, Scalar, Sink } from '../../../driver/driver.ts';
import { UnsupportedError } from '../../../errors/index.ts';
import { readTag, type CompletionTag } from '../wire/completion-tag.ts';
import type { Frame } from '../wire/frame.ts';
import { Exchange, type ExchangeTarget } from './exchange.ts';
import { firstDecoder, type PreparedStatement } from '../wire/prepared-statement.ts';
import { BACKEND, violation } from '../wire/protocol.ts';
import { type Execution, sendBatch, type SentBatch } from './send-batch.ts';

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
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class Operation extends Exchange {
  readonly #batch: readonly DriverStatement[];
  readonly #sink: Sink;
  readonly #resolve: () => void;
  #sent: SentBatch | undefined;
  /** Whether the sink has seen anything: then the batch cannot be run again in secret. */
  #delivered = false;
  #runs = 0;
  #stage = CLOSING;
  #closesLeft = 0;
  #setsLeft = 0;
  #count: number | undefined;
  #muted = false;

  constructor(source: OperationSource) {
    super(source);
    this.#batch = source.batch;
    this.#sink = source.sink;
    this.#resolve = source.resolve;
  }

  get statements(): readonly string[] {
    return (this.#sent?.executions ?? []).map(({ text }) => text.sql);
  }

  override get created(): readonly PreparedStatement[] {
    return this.#sent?.created ?? [];
  }

  override get failedStatement(): PreparedStatement | undefined {
    const execution = this.#sent?.executions[this.failedAt];
    return execution === undefined || execution.parsed || execution.statement.name === ''
      ? undefined
      : execution.statement;
  }

  override get repeatable(): boolean {
    return !this.#delivered && this.failedAt === 0 && this.#runs === 1;
  }

  /** A cancel names no statement: what could meet the next one is not sent before it. */
  get exclusive(): boolean {
    return this.signal !== undefined;
  }

  get complete(): boolean {
    return this.#stage === READY;
  }

  write(target: ExchangeTarget): void {
    const sent = sendBatch(target, this.#batch);
    this.#sent = sent;
    this.#runs += 1;
    this.error = undefined;
    this.cursor = 0;
    this.#closesLeft = sent.closes;
    if (sent.closes > 0) this.#stage = CLOSING;
    else this.#enter(0);
  }

  succeed(): void {
    this.#resolve();
  }

  /** The statement answers are expected for now, or the last one. */
  get #current(): Execution | undefined {
    return this.#sent?.executions[Math.min(this.cursor, this.#sent.executions.length - 1)];
  }

  row(frame: Frame): void {
    if (this.#stage !== ROWS) violation('a row where none was due');
    if (this.#muted) return;
    const execution = this.#current as Execution;
    if (execution.decode === undefined) return violation('a row before its description');
    let row: Scalar[];
    try {
      row = execution.decode(frame);
    } catch (error) {
      this.refuse(error, execution.text.sql);
      // What follows is read and dropped.
      this.#muted = true;
      return;
    }
    this.inSink = true;
    this.#sink.row(this.cursor, row);
    this.inSink = false;
  }

  answer(frame: Frame): string | undefined {
    switch (frame.type) {
      case BACKEND.bindComplete:
        this.#expect(BINDING, ROWS);
        this.#bound(this.#current as Execution);
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
        (this.#current as Execution).statement.learn(frame);
        return undefined;
      case BACKEND.rowDescription:
      case BACKEND.noData:
        this.#expect(COLUMNS, BINDING);
        (this.#current as Execution).statement.learn(frame);
        return undefined;
      case BACKEND.closeComplete:
        this.#closed();
        return undefined;
      case BACKEND.copyIn:
      case BACKEND.copyOut:
        throw new UnsupportedError('COPY cannot be run as a statement', { outcome: 'failed' });
      default:
        return this.unexpected(frame);
    }
  }

  fail(error: unknown): void {
    if (this.#stage === SKIPPING) violation('a second error for one batch');
    this.#stage = SKIPPING;
    if (this.error !== undefined) return;
    this.error = error;
    this.failedAt = this.cursor;
  }

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
    const executions = this.#sent?.executions ?? [];
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
    this.#deliver(() => this.#sink.fields?.(this.cursor, columns));
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
    this.#deliver(() => this.#sink.done?.(this.cursor, completion));
    this.#enter(this.cursor + 1);
    return tag.command;
  }

  #deliver(tell: () => void): void {
    if (this.#muted) return;
    this.#delivered = true;
    this.inSink = true;
    tell();
    this.inSink = false;
  }
}
