// A cursor: a portal of the current transaction, opened, read in parts and closed in an exchange each.
import type { ConnectionStatus, DriverStatement, Scalar, StatementText } from '../../../driver/driver.ts';
import type { CursorPage, DriverCursor } from '../../../driver/cursor.ts';
import type { SubmitOptions } from '../../../driver/submit-options.ts';
import { DataError, StateError, UsageError } from '../../../errors/index.ts';
import { parseTag } from '../wire/completion-tag.ts';
import type { Column } from '../wire/description.ts';
import { violation } from '../wire/protocol.ts';
import { checkSql, encodeValues } from './encode-values.ts';
import { Exchange, type Write } from './exchange.ts';
import type { ExchangeLine } from './exchange-line.ts';
import type { PgMessage } from './pg-module.ts';
import { columnsOf, textRows, type TextRowDecoder } from './text-rows.ts';

class OpenPortal extends Exchange {
  readonly statements: readonly string[];
  columns: readonly Column[] | undefined;
  /** The transaction it was opened in. */
  epoch = 0;
  readonly #now: () => number;
  readonly #name: string;
  readonly #statement: DriverStatement;

  constructor(
    {
      name,
      statement,
      now,
    }: { readonly name: string; readonly statement: DriverStatement; readonly now: () => number },
    signal: AbortSignal | undefined,
  ) {
    super(signal);
    this.#name = name;
    this.#now = now;
    this.#statement = statement;
    this.statements = [statement.text.sql];
  }

  compose(status: ConnectionStatus): Write {
    if (status === 'idle')
      throw new StateError('a cursor lives in a transaction, and none is open', { outcome: 'not-sent' });
    const { text, params } = this.#statement;
    checkSql(text.sql);
    const values = encodeValues(text, params);
    const portal = this.#name;
    return (wire) => {
      wire.parse({ name: '', text: text.sql });
      wire.bind({ portal, statement: '', values });
      wire.describe({ type: 'P', name: portal });
      wire.sync();
    };
  }

  answer(message: PgMessage): undefined {
    switch (message.name) {
      case 'parseComplete':
      case 'bindComplete':
        return;
      case 'rowDescription':
        this.columns = columnsOf(message);
        this.epoch = this.#now();
        this.complete = true;
        return;
      case 'noData':
        this.error = new UsageError('a cursor needs a statement that returns rows');
        return;
      default:
        violation(`message '${message.name}' in the answer to a cursor`);
    }
  }
}

class FetchPortal extends Exchange {
  readonly statements: readonly string[];
  readonly rows: Scalar[][] = [];
  done = false;
  readonly #name: string;
  readonly #count: number;
  readonly #decode: TextRowDecoder;

  constructor(
    portal: { readonly name: string; readonly text: StatementText; readonly decode: TextRowDecoder },
    count: number,
    signal: AbortSignal | undefined,
  ) {
    super(signal);
    this.#name = portal.name;
    this.#count = count;
    this.#decode = portal.decode;
    this.statements = [portal.text.sql];
  }

  compose(): Write {
    return (wire) => {
      wire.execute({ portal: this.#name, rows: this.#count });
      wire.sync();
    };
  }

  answer(message: PgMessage): string | undefined {
    switch (message.name) {
      case 'dataRow':
        this.#row(message);
        return undefined;
      case 'portalSuspended':
        this.complete = true;
        return undefined;
      case 'commandComplete':
        this.complete = this.done = true;
        return parseTag(String(message['text'])).command;
      default:
        return violation(`message '${message.name}' in the answer to a fetch`);
    }
  }

  #row(message: PgMessage): void {
    if (this.error !== undefined) return;
    try {
      this.rows.push(this.#decode(message));
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      this.error = error;
    }
  }
}

class ClosePortal extends Exchange {
  readonly statements: readonly string[] = [];
  readonly #name: string;

  constructor(name: string) {
    super(undefined);
    this.#name = name;
  }

  compose(): Write {
    return (wire) => {
      wire.close({ type: 'P', name: this.#name });
      wire.sync();
    };
  }

  answer(message: PgMessage): undefined {
    if (message.name !== 'closeComplete') violation(`message '${message.name}' in the answer to a close`);
    this.complete = true;
  }
}

/** Opens the portal `name` for a statement. UsageError outside of a transaction. */
export async function openPortal(
  line: ExchangeLine,
  { name, statement }: { readonly name: string; readonly statement: DriverStatement },
  options?: SubmitOptions,
): Promise<DriverCursor> {
  if (statement.sets !== undefined)
    throw new UsageError('a cursor takes one set of parameters', { outcome: 'not-sent' });
  const opening = new OpenPortal({ name, statement, now: () => line.state.epoch }, options?.signal);
  await line.run(opening);
  const columns = opening.columns ?? violation('a cursor without a description');
  const portal = { name, text: statement.text, decode: textRows(columns, statement.text) };
  const isGone = (): boolean => line.state.status === 'closed' || line.state.epoch !== opening.epoch;
  let done = false;
  let closed: Promise<void> | undefined;

  async function fetch(count: number, fetching?: SubmitOptions): Promise<CursorPage> {
    if (!Number.isInteger(count) || count < 1 || count > 2 ** 31 - 1)
      throw new UsageError('a fetch takes a whole number of rows from 1', { outcome: 'not-sent' });
    if (closed !== undefined) throw new StateError('the cursor is closed', { outcome: 'not-sent' });
    if (done) return { rows: [], done };
    // The question would fail the next transaction.
    if (isGone()) throw new StateError("the cursor's transaction is over", { outcome: 'not-sent' });
    const exchange = new FetchPortal(portal, count, fetching?.signal);
    await line.run(exchange);
    done ||= exchange.done;
    return { rows: exchange.rows, done: exchange.done };
  }

  async function forget(): Promise<void> {
    if (isGone()) return;
    try {
      await line.run(new ClosePortal(name));
    } catch (error) {
      // With the connection the cursor is gone as well.
      if (line.state.status !== 'closed') throw error;
    }
  }

  return {
    fields: columns,
    fetch,
    close: () => (closed ??= forget()),
  };
}
