// A connection with the face of a `pg` client. There is one for each connection and it goes out again with it; between
// two checkouts it refuses to work.
import { EventEmitter } from 'node:events';
import type { DriverStatement, StatementText } from '../driver/driver.ts';
import { CancelledError, StateError, TimeoutError } from '../errors/index.ts';
import type { Lease } from '../pool/lease.ts';
import { Lru } from '../primitives/lru.ts';
import { parameterValue } from './parameter-values.ts';
import { type QueryCall, type QueryCallback, type QueryConfig, readQuery } from './query-config.ts';
import { QueryResult } from './query-result.ts';
import { splitStatements } from './split-statements.ts';
import type { CustomTypes } from './text-types.ts';

/** What a client needs of its pool. */
export interface ClientHome {
  readonly types: CustomTypes;
  /** Milliseconds. */
  readonly queryTimeout: number | undefined;
  readonly maxUses: number;
  /** What the caller is told of a failure. */
  translate(error: unknown): Error;
  released(client: PoolClient, error: Error | undefined): void;
}

/** More columns than a statement can have: all of them come as text. */
const ALL_TEXT: StatementText['results'] = Object.freeze(Array.from({ length: 1664 }, () => 'text' as const));
/** Texts of prepared statements; the driver's own cache knows them by these objects. */
const texts = new Lru<string, StatementText>(500);

function textOf(sql: string, prepare: boolean): StatementText {
  const known = prepare ? texts.get(sql) : undefined;
  if (known !== undefined) return known;
  const text: StatementText = Object.freeze({ sql, params: [], results: ALL_TEXT, prepare });
  if (prepare) texts.set(sql, text);
  return text;
}

/** A client of the pool, as `pool.connect()` gives it. */
export class PoolClient extends EventEmitter {
  readonly #home: ClientHome;
  /** The server's process number for the connection. */
  readonly processID: number;
  #lease: Lease | undefined;
  #uses = 0;
  #pending = 0;
  /** Called when the last query is answered. */
  #quiet: (() => void) | undefined;

  constructor(home: ClientHome, processID: number) {
    super();
    this.#home = home;
    this.processID = processID;
  }

  /** @internal It goes out. */
  lend(lease: Lease): void {
    this.#lease = lease;
    this.#uses += 1;
  }

  // oxlint-disable typescript/no-explicit-any -- as the type declarations of pg have them: rows are what the caller says
  /** Runs a query. Without a callback it gives a promise of the result; a text of several statements gives a list. */
  query<Row = any>(query: string | QueryConfig, values?: readonly unknown[]): Promise<QueryResult<Row>>;
  query(query: string | QueryConfig, callback: QueryCallback): void;
  query(query: string | QueryConfig, values: readonly unknown[], callback: QueryCallback): void;
  query(...args: readonly unknown[]): Promise<QueryResult<any>> | undefined {
    return answered(args, (call) => this.run(call.config));
  }
  // oxlint-enable typescript/no-explicit-any

  /** @internal */
  async run(config: QueryConfig): Promise<QueryResult> {
    const lease = this.#lease;
    if (lease === undefined) throw released();
    const batch = statements(config);
    const types = config.types ?? this.#home.types;
    const results = batch.map(() => new QueryResult(types, config.rowMode));
    this.#pending += 1;
    try {
      await this.#submit(lease, batch, { results, timeout: config.query_timeout ?? this.#home.queryTimeout });
    } catch (error) {
      // The only one to cancel is the time limit: its error says more.
      throw this.#home.translate(error instanceof CancelledError ? error.cause : error);
    } finally {
      this.#pending -= 1;
      if (this.#pending === 0) this.#quiet?.();
    }
    for (const { failed } of results) if (failed !== undefined) throw failed.error;
    return (results.length === 1 ? results[0] : results) as QueryResult;
  }

  async #submit(lease: Lease, batch: readonly DriverStatement[], { results, timeout }: Run): Promise<void> {
    const sink = {
      fields: (index: number, fields: Parameters<QueryResult['describe']>[0]) => results[index]?.describe(fields),
      row: (index: number, row: Parameters<QueryResult['add']>[0]) => results[index]?.add(row),
      done: (index: number, completion: Parameters<QueryResult['complete']>[0]) => results[index]?.complete(completion),
    };
    const controller = timeout === undefined ? undefined : new AbortController();
    const late = (): void =>
      controller?.abort(new TimeoutError(`The query took longer than ${timeout} ms.`, { timeout, outcome: 'unknown' }));
    const timer = timeout === undefined ? undefined : setTimeout(late, timeout);
    try {
      await lease.submit(batch, sink, controller === undefined ? {} : { signal: controller.signal });
    } finally {
      clearTimeout(timer);
      lease.settled();
    }
  }

  /**
   * Gives the connection back once its queries are answered; with an error, or `true`, it is closed instead. Throws
   * `ATH_STATE` the second time.
   */
  release(error?: Error | boolean): void {
    const lease = this.#lease;
    if (lease === undefined) throw released();
    this.#lease = undefined;
    const broken = error instanceof Error || error === true;
    const end = (): void => {
      this.#quiet = undefined;
      if (this.#uses >= this.#home.maxUses) lease.invalidate('it was used often enough', true);
      if (broken) lease.invalidate('its user said that it is broken');
      else lease.release();
      this.#home.released(this, error instanceof Error ? error : undefined);
    };
    if (this.#pending > 0 && !broken) this.#quiet = end;
    else end();
  }

  /** A name in double quotes. */
  escapeIdentifier(name: string): string {
    return escapeIdentifier(name);
  }

  /** A text in single quotes. */
  escapeLiteral(text: string): string {
    return escapeLiteral(text);
  }
}

interface Run {
  readonly results: readonly QueryResult[];
  readonly timeout: number | undefined;
}

/** A name in double quotes. */
export function escapeIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text in single quotes, right whatever the server's setting for backslashes. */
export function escapeLiteral(text: string): string {
  const quoted = `'${text.replace(/['\\]/g, '$&$&')}'`;
  return text.includes('\\') ? ` E${quoted}` : quoted;
}

/** Runs a call and answers it as it was asked: by its callback, or by the promise. */
export function answered(
  args: readonly unknown[],
  run: (call: QueryCall) => Promise<QueryResult>,
): Promise<QueryResult> | undefined {
  let call: QueryCall;
  try {
    call = readQuery(args);
  } catch (error) {
    return Promise.reject(error);
  }
  const { callback } = call;
  if (callback === undefined) return run(call);
  run(call).then(
    // What the callback throws is its caller's mistake, and nobody waits for this promise.
    (result) => process.nextTick(callback, null, result),
    (error: unknown) => process.nextTick(callback, error, undefined),
  );
  return undefined;
}

function statements({ text, values, name }: QueryConfig): DriverStatement[] {
  const prepare = name !== undefined && name !== '';
  if (values !== undefined && values.length > 0) {
    return [{ text: textOf(text, prepare), params: values.map((value) => parameterValue(value)) }];
  }
  return splitStatements(text).map((sql) => ({ text: textOf(sql, prepare), params: [] }));
}

function released(): StateError {
  return new StateError('This client was given back to its pool already.', { outcome: 'not-sent' });
}
