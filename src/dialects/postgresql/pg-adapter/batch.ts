// A submitted batch: every statement of it, then one Sync, so that it is answered, or fails, as a whole.
import type { ConnectionStatus, DriverStatement, Scalar, Sink, StatementText } from '../../../driver/driver.ts';
import { DataError, UnsupportedError, UsageError } from '../../../errors/index.ts';
import { isStale } from '../driver/pipeline.ts';
import { indexed } from '../driver/send-batch.ts';
import type { StatementCache } from '../wire/statement-cache.ts';
import { parseTag } from '../wire/completion-tag.ts';
import { PreparedStatement } from '../wire/prepared-statement.ts';
import { violation } from '../wire/protocol.ts';
import { checkCount } from '../wire/statement-messages.ts';
import { checkSql, encodeValues } from './encode-values.ts';
import { Exchange, type Write } from './exchange.ts';
import type { PgMessage, PgWire } from './pg-module.ts';
import { columnsOf, textRows, type TextRowDecoder } from './text-rows.ts';

interface Execution {
  readonly text: StatementText;
  readonly statement: PreparedStatement;
  /** It is parsed and described on this occasion. */
  readonly parsed: boolean;
  readonly sets: readonly (readonly (string | null)[])[];
}

export interface BatchSource {
  readonly batch: readonly DriverStatement[];
  readonly sink: Sink;
  readonly cache: StatementCache;
}

function encodedSets({ text, params, sets }: DriverStatement, statement: PreparedStatement): Execution['sets'] {
  const given = sets ?? [params];
  if (given.length === 0)
    throw new UsageError('a statement with an empty list of parameter sets', { outcome: 'not-sent' });
  return given.map((values: readonly Scalar[]) => {
    if (statement.ready) checkCount({ slots: statement.parameterTypes }, values);
    return encodeValues(text, values);
  });
}

/** Parameters that node-postgres can be told of: it reads their number with a sign. */
const MOST_DESCRIBED = 32_767;

function isWide({ params, sets = [params] }: DriverStatement): boolean {
  return sets.some((values) => values.length > MOST_DESCRIBED);
}

function writeExecution(wire: PgWire, { statement, parsed, sets }: Execution): void {
  const { name, sql } = statement;
  const byPortal = sets.some((values) => values.length > MOST_DESCRIBED);
  if (parsed) wire.parse({ name, text: sql });
  if (parsed && !byPortal) wire.describe({ type: 'S', name });
  for (const values of sets) {
    wire.bind({ portal: '', statement: name, values });
    if (byPortal) wire.describe({ type: 'P', name: '' });
    wire.execute({ portal: '', rows: 0 });
  }
}

export class Batch extends Exchange {
  #executions: readonly Execution[] = [];
  readonly #source: BatchSource;
  #created: PreparedStatement[] = [];
  #setsLeft = 0;
  #count: number | undefined;
  #isBound = false;
  #decode: TextRowDecoder | undefined;
  /** The sink has seen something: then it cannot be run again in secret. */
  #delivered = false;
  #muted = false;
  #retried = false;
  #failedAt = 0;

  constructor(source: BatchSource, signal: AbortSignal | undefined) {
    super(signal);
    this.#source = source;
  }

  get statements(): readonly string[] {
    return this.#source.batch.map(({ text }) => text.sql);
  }

  compose(): Write {
    const { cache, batch } = this.#source;
    // Before any of this batch's own is put out of the cache: that one is still to run.
    const closing = cache.takeClosing();
    this.#created = [];
    const executions: Execution[] = [];
    try {
      for (const item of batch) executions.push(this.#execution(item));
    } catch (error) {
      for (const statement of this.#created) cache.remove(statement);
      cache.returnClosing(closing);
      throw indexed(error, executions.length);
    }
    this.#executions = executions;
    this.error = undefined;
    this.#enter(0);
    return (wire) => {
      for (const name of closing) wire.close({ type: 'S', name });
      for (const execution of executions) writeExecution(wire, execution);
      wire.sync();
    };
  }

  answer(message: PgMessage): string | undefined {
    const execution = this.#executions[this.cursor];
    if (execution === undefined) return violation(`an answer '${message.name}' behind the last`);
    switch (message.name) {
      case 'dataRow':
        this.#row(message, execution);
        return undefined;
      case 'bindComplete':
        this.#isBound = true;
        this.#bound(execution);
        return undefined;
      case 'commandComplete':
        return this.#completed(String(message['text']));
      case 'emptyQuery':
        return this.#completed('');
      case 'parameterDescription':
        execution.statement.parameterTypes = message['dataTypeIDs'] as readonly number[];
        return undefined;
      case 'rowDescription':
        execution.statement.columns ??= columnsOf(message);
        execution.statement.ready = true;
        if (this.#isBound) this.#bound(execution);
        return undefined;
      case 'noData':
        execution.statement.ready = true;
        return undefined;
      case 'parseComplete':
      case 'closeComplete':
        return undefined;
      case 'copyInResponse':
      case 'copyOutResponse':
        throw new UnsupportedError('COPY cannot be run as a statement', { outcome: 'failed' });
      default:
        return violation(`message '${message.name}' in the answer to a statement`);
    }
  }

  override fail(error: unknown): void {
    if (this.error === undefined) this.#failedAt = this.cursor;
    super.fail(error);
  }

  /** A statement the server knew otherwise is forgotten, and outside a transaction parsed anew and run again, once. */
  override again(before: ConnectionStatus, now: ConnectionStatus): boolean {
    const { cache } = this.#source;
    for (const statement of this.#created) if (!statement.ready) cache.remove(statement);
    const failed = this.#executions[this.#failedAt];
    const known = failed !== undefined && !failed.parsed && failed.statement.name !== '';
    if (!known || !isStale(this.error)) return false;
    cache.evict(failed.statement);
    if (this.#retried || this.#delivered || this.#failedAt !== 0 || before !== 'idle' || now !== 'idle') return false;
    this.#retried = true;
    return true;
  }

  #execution(item: DriverStatement): Execution {
    const { text } = item;
    const { cache } = this.#source;
    checkSql(text.sql);
    const named = text.prepare && cache.names && !isWide(item);
    const known = named ? cache.find(text.sql) : undefined;
    const statement = known ?? (named ? cache.add(text.sql) : new PreparedStatement(text.sql, ''));
    if (known === undefined && named) this.#created.push(statement);
    return { text, statement, parsed: known === undefined, sets: encodedSets(item, statement) };
  }

  #enter(cursor: number): void {
    this.cursor = cursor;
    this.#count = undefined;
    this.#decode = undefined;
    this.#isBound = false;
    this.#setsLeft = this.#executions[cursor]?.sets.length ?? 0;
    this.complete = cursor === this.#executions.length;
  }

  #bound({ text, statement, sets }: Execution): void {
    const { columns } = statement;
    if (columns === undefined || this.#setsLeft < sets.length) return;
    this.#decode = textRows(columns, text);
    this.#deliver(() => this.#source.sink.fields?.(this.cursor, columns));
  }

  #row(message: PgMessage, execution: Execution): void {
    if (this.#muted) return;
    if (this.#decode === undefined) return violation('a row before its description');
    let row: Scalar[];
    try {
      row = this.#decode(message);
    } catch (error) {
      this.#refuse(error, execution);
      return;
    }
    this.#deliver(() => this.#source.sink.row(this.cursor, row));
  }

  #completed(text: string): string {
    const tag = parseTag(text);
    if (tag.count !== undefined) this.#count = (this.#count ?? 0) + tag.count;
    this.#setsLeft -= 1;
    if (this.#setsLeft > 0) return tag.command;
    const completion = { command: tag.command, count: this.#count };
    this.#deliver(() => this.#source.sink.done?.(this.cursor, completion));
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

  /** A value that does not fit fails the batch, though the server goes on: what follows is read and dropped. */
  #refuse(error: unknown, { text }: Execution): void {
    if (!(error instanceof DataError)) throw error;
    const { column, message } = error;
    this.#failedAt = this.cursor;
    this.error = new DataError(message, { column, statementIndex: this.cursor, sql: text.sql, outcome: 'failed' });
    this.#muted = true;
  }
}
