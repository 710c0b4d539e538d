// One conversation, played against the real connection code, and the judgement on it.
import { inspect } from 'node:util';
import type { DriverConnection, DriverStatement, Scalar } from '../../src/driver/driver.ts';
import { AthanorError, CommitRolledBackError, DatabaseError, DataError } from '../../src/errors/index.ts';
import { type ClientOptions, started, startUp } from './client.ts';
import type { Batch, Conversation, Exchange } from './conversation.ts';
import { Delivery, turns } from './delivery.ts';
import { Innocent } from './innocent.ts';
import { MemoryTransport } from './link.ts';
import type { PostgresOptions } from '../../src/dialects/postgresql/driver/options.ts';
import { Reference } from './reference.ts';
import { copyPiece, PASSWORD, PlannedServer } from './server.ts';
import { BROKEN, runStream, type Streaming } from './streaming.ts';
import { COLUMN_TYPES, same } from './values.ts';

/** How a conversation went. `failure` says what is wrong with the client, if anything is. */
export interface Verdict {
  readonly failure: string | undefined;
  /** Messages the server sent. */
  readonly messages: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Milliseconds the driver was busy with one piece of what came, at most. */
  readonly longest: number;
}

interface Asked {
  readonly index: number;
  readonly batch: Batch;
  readonly rows: (readonly [number, readonly Scalar[]])[];
  readonly counts: (number | undefined)[];
  readonly controller: AbortController | undefined;
  state: 'pending' | 'resolved' | 'rejected';
  error: unknown;
}

const THROWN = new TypeError('the sink threw');
/** Turns without anything new after which an exchange is over. */
const QUIET = 5;
/** Milliseconds a derivation of a key may take before the line is cut. */
const PATIENCE = 5_000;

const innocent = new Innocent();
const texts = new WeakMap<Conversation, DriverStatement['text'][]>();

function textsOf(plan: Conversation): DriverStatement['text'][] {
  let found = texts.get(plan);
  if (found === undefined) {
    found = plan.queries.map(({ sql, prepare, columns, params }) => ({
      sql,
      prepare,
      params: ['text' as const, ...params.map(([, kind]) => kind)],
      results: columns.map((column) => COLUMN_TYPES[column]?.kind),
    }));
    texts.set(plan, found);
  }
  return found;
}

function statementsOf(plan: Conversation, batch: Batch, index: number): DriverStatement[] {
  return batch.runs.map(({ query, sets }, statement): DriverStatement => {
    const text = textsOf(plan)[query] as DriverStatement['text'];
    const rest = plan.queries[query]?.params.map(([, , value]) => value) ?? [];
    const all = Array.from({ length: sets }, (_, set): Scalar[] => [`${index}.${statement}.${set}`, ...rest]);
    return sets === 1 ? { text, params: all[0] as Scalar[] } : { text, params: [], sets: all };
  });
}

const immediate = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** The client's own settings; each of the odd ones must be refused in words of our own. */
function settingsOf({ tls, options }: NonNullable<Conversation['startup']>): PostgresOptions {
  const plain = {
    host: '127.0.0.1',
    user: 'u',
    password: PASSWORD,
    sslMode: tls === 'not asked' ? 'disable' : 'prefer',
  } as const;
  switch (options) {
    case 'plain':
      return plain;
    case 'scram only':
      return { ...plain, requireAuth: ['scram-sha-256'] };
    case 'no password':
      return { user: 'u', sslMode: 'disable' };
    case 'odd password':
      return { ...plain, password: () => 'with\0nul' };
    case 'channel binding':
      return { ...plain, channelBinding: 'require' };
    case 'far host':
      return { ...plain, host: 'db.example.com', ...(tls === 'not asked' ? {} : { sslMode: undefined }) };
  }
}

class Play {
  readonly #plan: Conversation;
  readonly #server: PlannedServer;
  readonly #transport: MemoryTransport;
  readonly #delivery: Delivery;
  readonly #asked: Asked[] = [];
  readonly #streams: Streaming[] = [];
  readonly #lost: Error[] = [];
  #connection: DriverConnection | undefined;
  #left = false;

  constructor(plan: Conversation) {
    this.#plan = plan;
    this.#server = new PlannedServer(plan);
    this.#transport = new MemoryTransport((bytes) => this.#server.receive(bytes));
    this.#delivery = new Delivery(plan, this.#server, this.#transport);
  }

  async run(): Promise<Verdict> {
    innocent.begin();
    const own = await this.#play().catch((error: unknown) => `thrown: ${inspect(error)}`);
    const other = await innocent.end();
    const failure = own ?? other;
    const count = (state: Asked['state']): number => this.#asked.filter((asked) => asked.state === state).length;
    return {
      failure,
      messages: this.#server.count,
      succeeded: count('resolved'),
      failed: count('rejected'),
      longest: this.#transport.longest,
    };
  }

  async #play(): Promise<string | undefined> {
    const client: ClientOptions = {
      transport: this.#transport,
      limit: this.#plan.limit,
      cacheSize: this.#plan.cacheSize,
      cancel: () => this.#cancel(),
    };
    if (this.#plan.startup === undefined) this.#connection = started(client);
    else {
      const wrong = await this.#startUp(client);
      if (wrong !== undefined || this.#connection === undefined) return wrong;
    }
    // It may have gone before anybody could listen.
    this.#left ||= this.#connection.status === 'closed';
    this.#connection.onLost = (error) => this.#lost.push(error);
    this.#connection.onNotice = () => {
      if (this.#plan.noticeThrows) throw THROWN;
    };
    for (const [number, exchange] of this.#plan.exchanges.entries())
      await this.#exchange(this.#connection, exchange, number);
    const status = this.#connection.status;
    this.#transport.finish(undefined);
    await turns();
    if (this.#pending) await immediate();
    return this.#judge(this.#connection, status);
  }

  get #pending(): boolean {
    return [...this.#asked, ...this.#streams].some(({ state }) => state === 'pending');
  }

  #cancel(): Promise<void> {
    if (this.#plan.cancelFails) return Promise.reject(THROWN);
    this.#server.cancelled = true;
    return Promise.resolve();
  }

  // --- what happens --------------------------------------------------------------------------------------------

  async #startUp(client: ClientOptions): Promise<string | undefined> {
    const startup = this.#plan.startup as NonNullable<Conversation['startup']>;
    let error: unknown;
    let over = false;
    startUp(client, settingsOf(startup)).then(
      (connection) => {
        this.#connection = connection;
        over = true;
      },
      (reason: unknown) => {
        error = reason;
        over = true;
      },
    );
    const start = performance.now();
    for (let quiet = 0; !over && quiet < QUIET; ) {
      await immediate();
      // Keys are derived and certificates read outside of this thread: that takes as long as it takes.
      const patience = this.#delivery.struck === Number.POSITIVE_INFINITY ? PATIENCE : 50;
      const elsewhere = this.#server.challenging || (startup.tls === 'accepted' && !this.#server.greeted);
      const busy = (await this.#delivery.bring()) || (elsewhere && performance.now() - start < patience);
      quiet = busy ? 0 : quiet + 1;
    }
    if (!over) this.#transport.finish(undefined);
    while (!over && performance.now() - start < PATIENCE) await immediate();
    if (!over) return 'connecting hangs though the line is cut';
    if (error === undefined) return undefined;
    if (!(error instanceof AthanorError)) return `connecting failed with ${inspect(error)}`;
    if (inspect(error, { showHidden: true }).includes(PASSWORD)) return 'the password is in an error';
    const calm =
      this.#delivery.struck === Number.POSITIVE_INFINITY &&
      startup.refusal === undefined &&
      startup.options === 'plain';
    return calm ? `connecting failed with nothing wrong: ${inspect(error)}` : undefined;
  }

  async #exchange(
    connection: DriverConnection,
    { batches, beside, stream }: Exchange,
    exchange: number,
  ): Promise<void> {
    const asked = batches.map((batch) => this.#ask(connection, batch));
    await turns();
    const abort = (signal: Batch['signal']): void => {
      for (const one of asked) if (one.batch.signal === signal) one.controller?.abort();
    };
    abort('abort');
    this.#beside(connection, beside);
    for (let quiet = 0; quiet < QUIET; ) {
      await turns();
      quiet = (await this.#delivery.bring()) ? 0 : quiet + 1;
      abort('abort late');
      if (quiet > 1 && asked.every(({ state }) => state !== 'pending')) break;
    }
    if (stream !== undefined) await this.#stream(connection, { exchange, stream });
  }

  async #stream(
    connection: DriverConnection,
    { exchange, stream }: Pick<Streaming, 'exchange' | 'stream'>,
  ): Promise<void> {
    const streaming: Streaming = { exchange, stream, rows: [], chunks: [], state: 'pending', error: undefined };
    this.#streams.push(streaming);
    const { params = [] } = this.#plan.queries[stream.query] ?? {};
    const text = textsOf(this.#plan)[stream.query];
    const statement =
      text === undefined ? undefined : { text, params: [`stream ${exchange}`, ...params.map(([, , value]) => value)] };
    void runStream(connection, { plan: this.#plan, statement }, streaming);
    for (let quiet = 0; quiet < QUIET && streaming.state === 'pending'; ) {
      await turns(8);
      quiet = !this.#transport.held && (await this.#delivery.bring()) ? 0 : quiet + 1;
    }
  }

  #beside(connection: DriverConnection, beside: Exchange['beside']): void {
    if (beside === 'none') return;
    if (beside === 'cancel') connection.cancel().catch(() => {});
    else {
      this.#left = true;
      if (beside === 'close') void connection.close();
      else connection.destroy();
    }
  }

  #ask(connection: DriverConnection, batch: Batch): Asked {
    const controller = batch.signal === 'none' ? undefined : new AbortController();
    if (batch.signal === 'aborted') controller?.abort();
    const index = this.#asked.length;
    const asked: Asked = { index, batch, rows: [], counts: [], controller, state: 'pending', error: undefined };
    this.#asked.push(asked);
    const sink = {
      row: (statement: number, row: Scalar[]): void => {
        if (batch.sinkThrows) throw THROWN;
        asked.rows.push([statement, row]);
      },
      done: (_statement: number, { count }: { readonly count: number | undefined }): void =>
        void asked.counts.push(count),
    };
    connection.submit(statementsOf(this.#plan, batch, index), sink, { signal: controller?.signal }).then(
      () => {
        asked.state = 'resolved';
      },
      (error: unknown) => {
        asked.state = 'rejected';
        asked.error = error;
      },
    );
    return asked;
  }

  // --- what must hold ------------------------------------------------------------------------------------------

  async #judge(connection: DriverConnection, before: string): Promise<string | undefined> {
    const reference = new Reference(this.#plan, this.#server.batches, this.#delivery.stream);
    const { calm } = this;
    for (const asked of this.#asked) {
      const wrong = this.#wrong(asked, reference, calm);
      if (wrong !== undefined) return `batch ${asked.index}: ${wrong}`;
    }
    for (const streaming of this.#streams) {
      const wrong = this.#wrongStream(streaming, reference);
      if (wrong !== undefined) return `the ${streaming.stream.kind} of exchange ${streaming.exchange}: ${wrong}`;
    }
    if (connection.status !== 'closed') return `the connection is ${connection.status} after its end`;
    if (calm && this.#delivery.struck === Number.POSITIVE_INFINITY && !this.#server.ended && before === 'closed')
      return `the connection was given up for nothing: ${inspect(this.#lost[0])}`;
    // Where the client leaves by itself it may have been lost before.
    if (this.#lost.length !== 1 && !(this.#left && this.#lost.length === 0))
      return `its owner was told ${this.#lost.length} times that it is lost`;
    return this.#refusesMore(connection);
  }

  /** The client did nothing that may end a batch or the connection. */
  get calm(): boolean {
    return this.#plan.exchanges.every(
      ({ beside, batches, stream }) =>
        beside === 'none' &&
        stream?.throws !== true &&
        batches.every(({ signal, sinkThrows }) => !signal.startsWith('abort ') && signal !== 'abort' && !sinkThrows),
    );
  }

  async #refusesMore(connection: DriverConnection): Promise<string | undefined> {
    try {
      await connection.submit(
        statementsOf(
          this.#plan,
          { runs: [{ query: 0, sets: 1, rows: 0, answer: 'rows' }], signal: 'none', sinkThrows: false },
          0,
        ),
        { row() {} },
      );
    } catch (error) {
      return error instanceof AthanorError && error.outcome === 'not-sent'
        ? undefined
        : `a dead connection refuses with ${inspect(error)}`;
    }
    return 'a dead connection takes statements';
  }

  #wrong(asked: Asked, reference: Reference, calm: boolean): string | undefined {
    const { state, error, batch, index } = asked;
    if (state === 'pending') return 'it was never settled';
    if (state === 'rejected' && !(error instanceof AthanorError) && !(batch.sinkThrows && error === THROWN))
      return `it failed with ${inspect(error)}`;
    const wrong = state === 'resolved' ? reference.wrong(index, asked) : undefined;
    if (wrong !== undefined) return wrong;
    const read = this.#server.batches.findLast((one) => one.batch === index);
    const sound = calm && read !== undefined && read.lastFrame !== -1 && read.lastFrame < this.#delivery.struck;
    if (sound) return this.#unexpected(asked);
    return undefined;
  }

  #wrongStream(streaming: Streaming, reference: Reference): string | undefined {
    const { exchange, stream, state, error, rows, chunks } = streaming;
    if (state === 'pending') return 'it was never settled';
    if (state === 'rejected') {
      if (error instanceof AthanorError || (stream.throws && error === BROKEN)) return undefined;
      return `it failed with ${inspect(error)}`;
    }
    const wrong = reference.wrongStream(exchange, { rows, bytes: Buffer.concat(chunks) });
    if (wrong !== undefined || stream.kind !== 'copy in') return wrong;
    const sent = Buffer.concat(Array.from({ length: stream.amount }, (_, i) => copyPiece(this.#plan, i)));
    return Buffer.compare(this.#server.copied.get(exchange) ?? Buffer.alloc(0), sent) === 0
      ? undefined
      : 'the server got something else';
  }

  #unexpected({ index, state, error, rows }: Asked): string | undefined {
    const expected = this.#server.expected.get(index);
    if (expected === undefined) return undefined;
    switch (expected.problem) {
      case undefined:
        if (state !== 'resolved') return `it failed with nothing wrong: ${inspect(error)}`;
        return same(rows, expected.rows) ? undefined : 'its rows are others';
      case 'error':
        return error instanceof DatabaseError && error.sqlState === expected.sqlState
          ? undefined
          : `not ${expected.sqlState}: ${state} ${inspect(error)}`;
      case 'refused':
        return error instanceof DataError && error.sqlState === undefined
          ? undefined
          : `a value that does not fit: ${state} ${inspect(error)}`;
      case 'rolled back':
        return error instanceof CommitRolledBackError
          ? undefined
          : `COMMIT answered by ROLLBACK: ${state} ${inspect(error)}`;
    }
  }
}

/** Plays a conversation. Never throws: whatever goes wrong is in the verdict. */
export function play(plan: Conversation): Promise<Verdict> {
  return new Play(plan).run();
}
