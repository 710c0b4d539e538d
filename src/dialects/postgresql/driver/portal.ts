// What a cursor asks of the server: a portal is opened, read in parts, closed. Each is an exchange of its own, so other
// statements run in between, and each ends with its own Sync, so a failure is its own.
import type { ConnectionStatus, CursorPage, DriverStatement, Scalar } from '../../../driver/driver.ts';
import { StateError, UsageError } from '../../../errors/index.ts';
import { readTag } from '../wire/completion-tag.ts';
import type { Column } from '../wire/description.ts';
import type { Frame } from '../wire/frame.ts';
import { BACKEND, violation } from '../wire/protocol.ts';
import { rowDecoder, type RowDecoder } from '../wire/row-decoder.ts';
import { Exchange, type ExchangeEnd, type ExchangeTarget } from './exchange.ts';
import { firstDecoders, firstPlan, type PreparedStatement } from '../wire/prepared-statement.ts';
import { choose } from './send-batch.ts';
import {
  checkCount,
  SYNC,
  writeBind,
  writeClosePortal,
  writeFetch,
  writeParseAndDescribe,
} from '../wire/statement-messages.ts';

const PARSING = 0;
const PARAMETERS = 1;
const COLUMNS = 2;
const BINDING = 3;
const ROWS = 4;
const CLOSING = 5;
const READY = 6;
const SKIPPING = 7;

/** An exchange about one portal: every message has its one stage. */
abstract class PortalExchange extends Exchange {
  readonly statements: readonly string[];
  protected stage: number;

  constructor(end: ExchangeEnd, sql: string, stage: number) {
    super(end);
    this.statements = [sql];
    this.stage = stage;
  }

  get complete(): boolean {
    return this.stage === READY;
  }

  get exclusive(): boolean {
    return this.signal !== undefined;
  }

  row(_frame: Frame): void {
    violation('a row where none was due');
  }

  fail(error: unknown): void {
    if (this.stage === SKIPPING) violation('a second error for one exchange');
    this.stage = SKIPPING;
    this.error ??= error;
  }

  ready(_status: ConnectionStatus): void {
    if (this.stage !== READY && this.stage !== SKIPPING) violation('the end of an answer before all of it');
  }

  protected expect(stage: number, next: number): undefined {
    if (this.stage !== stage) violation('the messages of an answer in the wrong order');
    this.stage = next;
    return undefined;
  }
}

/** A portal that is open: its rows' columns and how to read them. */
export interface OpenedPortal {
  readonly columns: readonly Column[];
  readonly decode: RowDecoder;
}

export interface OpenSource extends ExchangeEnd {
  readonly item: DriverStatement;
  readonly portal: string;
  readonly resolve: (opened: OpenedPortal) => void;
}

/** Parses where need be, and binds to a portal of its own. */
export class OpenPortal extends PortalExchange {
  readonly #source: OpenSource;
  #statement: PreparedStatement | undefined;
  #created: PreparedStatement[] = [];
  #parsed = false;
  #decode: RowDecoder | undefined;

  constructor(source: OpenSource) {
    super(source, source.item.text.sql, PARSING);
    this.#source = source;
  }

  override get created(): readonly PreparedStatement[] {
    return this.#created;
  }

  override get failedStatement(): PreparedStatement | undefined {
    return this.#parsed || this.#statement?.name === '' ? undefined : this.#statement;
  }

  write({ writer, cache }: ExchangeTarget): void {
    const { item, portal } = this.#source;
    const start = writer.offset;
    const created: PreparedStatement[] = [];
    const { statement, parse } = choose(cache, item, created);
    const plan = statement.ready ? statement.plan(item.text) : firstPlan(item.text);
    try {
      if (statement.ready) checkCount(plan, item.params);
      if (parse) writeParseAndDescribe(writer, statement);
      writeBind(writer, statement, { plan, values: item.params, portal });
      writer.raw(SYNC);
    } catch (error) {
      writer.offset = start;
      for (const one of created) cache.remove(one);
      throw error;
    }
    this.#statement = statement;
    this.#created = created;
    this.#parsed = parse;
    this.#decode = plan.decode;
    this.stage = parse ? PARSING : BINDING;
  }

  answer(frame: Frame): undefined {
    switch (frame.type) {
      case BACKEND.parseComplete:
        return this.expect(PARSING, PARAMETERS);
      case BACKEND.parameterDescription:
        this.expect(PARAMETERS, COLUMNS);
        this.#statement?.learn(frame);
        return undefined;
      case BACKEND.rowDescription:
      case BACKEND.noData:
        this.expect(COLUMNS, BINDING);
        this.#statement?.learn(frame);
        return undefined;
      case BACKEND.bindComplete:
        return this.expect(BINDING, READY);
      default:
        return this.unexpected(frame);
    }
  }

  /** Sync ends what is no open transaction, and its portals with it. */
  override ready(status: ConnectionStatus): void {
    super.ready(status);
    if (status === 'idle')
      this.error ??= new StateError('a cursor needs an open transaction', { hint: 'Send BEGIN first.' });
    else if (this.#statement?.columns === undefined)
      this.error ??= new UsageError('a cursor needs a statement that returns rows');
  }

  succeed(): void {
    const columns = this.#statement?.columns as readonly Column[];
    const { item, resolve } = this.#source;
    resolve({ columns, decode: this.#decode ?? rowDecoder(firstDecoders(item.text, columns), namesOf(columns)) });
  }
}

function namesOf(columns: readonly Column[]): readonly string[] {
  return columns.map(({ name }) => name);
}

export interface FetchSource extends ExchangeEnd {
  readonly sql: string;
  readonly portal: string;
  readonly count: number;
  readonly decode: RowDecoder;
  readonly resolve: (page: CursorPage) => void;
}

/** The next rows of a portal. */
export class FetchPortal extends PortalExchange {
  readonly #source: FetchSource;
  readonly #rows: Scalar[][] = [];
  #done = false;

  constructor(source: FetchSource) {
    super(source, source.sql, ROWS);
    this.#source = source;
  }

  write({ writer }: ExchangeTarget): void {
    writeFetch(writer, this.#source.portal, this.#source.count);
    writer.raw(SYNC);
  }

  override row(frame: Frame): void {
    if (this.stage !== ROWS) violation('a row where none was due');
    if (this.error !== undefined) return;
    if (this.#rows.length === this.#source.count) violation('more rows than were asked for');
    try {
      this.#rows.push(this.#source.decode(frame));
    } catch (error) {
      this.refuse(error, this.#source.sql);
    }
  }

  answer(frame: Frame): string | undefined {
    switch (frame.type) {
      case BACKEND.portalSuspended:
        this.expect(ROWS, READY);
        return undefined;
      case BACKEND.commandComplete:
        this.expect(ROWS, READY);
        this.#done = true;
        return readTag(frame).command;
      default:
        return this.unexpected(frame);
    }
  }

  succeed(): void {
    this.#source.resolve(Object.freeze({ rows: this.#rows, done: this.#done }));
  }
}

export interface CloseSource extends ExchangeEnd {
  readonly sql: string;
  readonly portal: string;
  readonly resolve: () => void;
}

/** Lets the server forget a portal. */
export class ClosePortal extends PortalExchange {
  readonly #source: CloseSource;

  constructor(source: CloseSource) {
    super(source, source.sql, CLOSING);
    this.#source = source;
  }

  write({ writer }: ExchangeTarget): void {
    writeClosePortal(writer, this.#source.portal);
    writer.raw(SYNC);
  }

  answer(frame: Frame): undefined {
    if (frame.type !== BACKEND.closeComplete) return this.unexpected(frame);
    return this.expect(CLOSING, READY);
  }

  succeed(): void {
    this.#source.resolve();
  }
}
