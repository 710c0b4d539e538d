// What both directions of COPY share: one unnamed statement, alone on its connection until it is answered, because the
// server reads nothing else while data flows.
import type { Completion } from '../../../driver/driver.ts';
import { UsageError } from '../../../errors/index.ts';
import { readTag } from '../wire/completion-tag.ts';
import type { Frame } from '../wire/frame.ts';
import { type MessageWriter } from '../wire/message-writer.ts';
import { BACKEND, violation } from '../wire/protocol.ts';
import { Exchange, type ExchangeEnd, type ExchangeTarget } from './exchange.ts';
import { firstPlan, PreparedStatement } from '../wire/prepared-statement.ts';
import { EXECUTE, writeBind, writeParse } from '../wire/statement-messages.ts';

/** What a COPY needs of the connection beside its turn. */
export interface CopyLink {
  /** Writes at once. */
  send(bytes: Buffer): void;
  /** Settles when the socket takes more, or has ended. */
  drained(): Promise<void>;
  /** Stops and starts reading. */
  hold(): void;
  release(): void;
  /** Has the server stop this exchange. */
  stop(exchange: Exchange): void;
}

export interface CopyEnd extends ExchangeEnd {
  readonly sql: string;
  readonly link: CopyLink;
  readonly resolve: (completion: Completion) => void;
}

const PARSING = 0;
const BINDING = 1;
const STARTING = 2;
const COPYING = 3;
const READY = 4;
const SKIPPING = 5;

export abstract class CopyExchange extends Exchange {
  readonly statements: readonly string[];
  readonly exclusive = true;
  protected readonly link: CopyLink;
  protected completion: Completion = { command: 'COPY', count: undefined };
  readonly #resolve: (completion: Completion) => void;
  #stage = PARSING;

  constructor(end: CopyEnd) {
    super(end);
    this.statements = [end.sql];
    this.link = end.link;
    this.#resolve = end.resolve;
  }

  /** The message that begins this direction. */
  protected abstract readonly opening: number;
  /** What follows the Execute. */
  protected abstract readonly tail: Buffer;
  /** The server is ready for the data. */
  protected abstract begin(): void;

  get complete(): boolean {
    return this.#stage === READY;
  }

  protected get copying(): boolean {
    return this.#stage === COPYING;
  }

  write({ writer }: ExchangeTarget): void {
    const start = writer.offset;
    try {
      this.#write(writer);
    } catch (error) {
      writer.offset = start;
      throw error;
    }
  }

  #write(writer: MessageWriter): void {
    const [sql] = this.statements as readonly [string];
    const text = { sql, params: [], results: undefined, prepare: false };
    writeParse(writer, '', sql);
    writeBind(writer, new PreparedStatement(sql, ''), { plan: firstPlan(text), values: [] });
    writer.raw(EXECUTE);
    writer.raw(this.tail);
  }

  row(_frame: Frame): void {
    violation('a row where none was due');
  }

  answer(frame: Frame): string | undefined {
    switch (frame.type) {
      case BACKEND.parseComplete:
        return this.#expect(PARSING, BINDING);
      case BACKEND.bindComplete:
        return this.#expect(BINDING, STARTING);
      case BACKEND.copyIn:
      case BACKEND.copyOut:
        if (frame.type !== this.opening) throw new UsageError('the COPY runs the other way');
        this.#expect(STARTING, COPYING);
        this.begin();
        return undefined;
      case BACKEND.commandComplete:
        return this.#completed(frame);
      default:
        return this.unexpected(frame);
    }
  }

  fail(error: unknown): void {
    if (this.#stage === SKIPPING) violation('a second error for one exchange');
    this.#stage = SKIPPING;
    this.error ??= error;
  }

  ready(): void {
    if (this.#stage !== READY && this.#stage !== SKIPPING) violation('the end of an answer before all of it');
  }

  succeed(): void {
    this.#resolve(this.completion);
  }

  #completed(frame: Frame): string {
    if (this.#stage !== STARTING && this.#stage !== COPYING) violation('a completed statement that did not run');
    // It copied to or from somewhere else: its text was not what it seemed.
    if (this.#stage === STARTING) this.error ??= new UsageError('the COPY moved no data here', { outcome: 'unknown' });
    const { command, count } = readTag(frame);
    this.completion = Object.freeze({ command, count });
    this.#stage = READY;
    return command;
  }

  #expect(stage: number, next: number): undefined {
    if (this.#stage !== stage) violation('the messages of an answer in the wrong order');
    this.#stage = next;
    return undefined;
  }
}
