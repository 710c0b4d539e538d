// A server that keeps to the protocol: it reads what the client wrote and answers as the conversation's plan says, with
// the transaction states a real one would have. What each batch must come to is written down on the way.
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type { Scalar } from '../../src/driver/driver.ts';
import { Random } from '../random.ts';
import type { Conversation, Query, Run, Stream } from './conversation.ts';
import {
  BodyReader,
  type ClientMessage,
  ClientReader,
  columnsBody,
  errorBody,
  frame,
  int16,
  int32,
  rowBody,
  type ServerFrame,
  text,
} from './frames.ts';
import { COLUMN_TYPES, encoded, type Sample } from './values.ts';

export const PASSWORD = 'canary-Pa55word';
const SALT = Buffer.from('0123456789abcdef');
const ITERATIONS = 64;
let salted: Buffer | undefined;

/** One batch of the client as it was read, up to its Sync, and where its answer ended. */
export interface ReadBatch {
  /** The number of the batch in the conversation; `undefined` for the driver's own, and for streams. */
  readonly batch: number | undefined;
  /** The number of the exchange whose stream it belongs to. */
  stream: number | undefined;
  readonly parts: readonly BatchPart[];
  /** The number of the message that ended its answer, or -1 where none did. */
  lastFrame: number;
}

export type BatchPart =
  | { readonly is: 'close' }
  | { readonly is: 'parse'; readonly name: string; readonly sql: string; readonly described: boolean }
  | { readonly is: 'copy'; readonly letters: string }
  | { readonly is: 'open'; readonly sql: string; readonly name: string; readonly formats: readonly number[] }
  | { readonly is: 'fetch'; readonly portal: string }
  | { readonly is: 'run'; readonly name: string; readonly sql: string; readonly formats: readonly number[] };

/** What a batch must come to when nobody tampers with its answer. */
export interface Expectation {
  problem: 'error' | 'refused' | 'rolled back' | undefined;
  sqlState: string | undefined;
  readonly rows: (readonly [statement: number, row: readonly Scalar[]])[];
}

const SETTING: Query = { sql: '', command: 'SELECT', columns: [], prepare: false, params: [] };

export class PlannedServer {
  readonly batches: ReadBatch[] = [];
  readonly expected = new Map<number, Expectation>();
  /** The server has left. */
  ended = false;
  cancelled = false;
  /** What came with COPY, by the number of its exchange. */
  readonly copied = new Map<number, Buffer>();
  /** Messages made so far. */
  count = 0;
  readonly #plan: Conversation;
  readonly #reader: ClientReader;
  readonly #noise: Random;
  readonly #out: ServerFrame[] = [];
  readonly #inbox: ClientMessage[] = [];
  readonly #statements = new Map<string, string>();
  readonly #attempted = new Set<number>();
  #started: boolean;
  #nonce = '';
  #firstBare = '';
  #status: 'I' | 'T' | 'E' = 'I';
  #skipping = false;
  /** The COPY that data comes for. */
  #copying: { readonly stream: number; readonly read: ReadBatch } | undefined;
  /** A COPY that was refused: its Sync is still to come. */
  #flushed: ReadBatch | undefined;
  readonly #portals = new Map<string, Portal>();
  #batch: ClientMessage[] = [];
  /** Parsed in the batch at hand. */
  #fresh = new Set<string>();

  constructor(plan: Conversation) {
    this.#plan = plan;
    this.#started = plan.startup === undefined;
    this.#reader = new ClientReader(this.#started);
    this.#noise = new Random(plan.seed ^ 0x5eed);
  }

  /** The client has said who it is. */
  greeted = false;

  /** The client has a challenge to work on. */
  get challenging(): boolean {
    return this.#nonce !== '' && !this.#started;
  }

  receive(bytes: Buffer): void {
    this.#inbox.push(...this.#reader.read(Buffer.from(bytes)));
  }

  /** Answers what was read, in messages not taken before. */
  take(): ServerFrame[] {
    for (const message of this.#inbox.splice(0)) {
      if (this.ended) break;
      if (message.type === '' || message.type === 'p') this.#greet(message);
      else if (message.type === 'X') this.ended = true;
      else if (this.#flushed !== undefined) this.#afterFlush(this.#flushed, message);
      else if (this.#copying !== undefined) this.#copy(this.#copying, message);
      else if (message.type === 'S' || message.type === 'H') this.#answer([...this.#batch.splice(0), message]);
      else this.#batch.push(message);
    }
    return this.#out.splice(0);
  }

  // --- startup -------------------------------------------------------------------------------------------------

  /** A client that was led to another authentication than ours is turned away. */
  #greet(message: ClientMessage): void {
    try {
      this.#startup(message);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#refuse('28000');
    }
  }

  #startup({ type, body }: ClientMessage): void {
    const plan = this.#plan.startup;
    if (plan === undefined) return;
    if (type === '' && body.length === 4) {
      this.#send({ type: 'N', body: Buffer.from(plan.tls === 'accepted' ? 'S' : 'N'), raw: true });
      return;
    }
    if (type === '') {
      this.greeted = true;
      if (plan.refusal !== undefined) return this.#refuse(plan.refusal);
      return this.#ask(plan.auth);
    }
    if (plan.auth !== 'scram') return this.#welcome();
    if (this.#nonce === '') this.#challenge(body);
    else this.#prove(body);
  }

  #ask(auth: NonNullable<Conversation['startup']>['auth']): void {
    if (auth === 'none') this.#welcome();
    else if (auth === 'password') this.#send(frame('R', int32(3)));
    else if (auth === 'md5') this.#send(frame('R', int32(5), SALT.subarray(0, 4)));
    else this.#send(frame('R', int32(10), text('SCRAM-SHA-256-PLUS'), text('SCRAM-SHA-256'), Buffer.from([0])));
  }

  #refuse(code: string): void {
    this.#send(frame('E', errorBody({ severity: 'FATAL', code, message: 'refused' })));
    this.ended = true;
  }

  #challenge(body: Buffer): void {
    const reader = new BodyReader(body);
    reader.string();
    const first = (reader.value() as Buffer).toString();
    this.#firstBare = first.slice(first.indexOf('n=,'));
    this.#nonce = `${this.#firstBare.slice(5)}SERVER`;
    this.#send(frame('R', int32(11), Buffer.from(this.#challengeText)));
  }

  get #challengeText(): string {
    return `r=${this.#nonce},s=${SALT.toString('base64')},i=${ITERATIONS}`;
  }

  #prove(body: Buffer): void {
    salted ??= pbkdf2Sync(PASSWORD, SALT, ITERATIONS, 32, 'sha256');
    const hmac = (key: Buffer, value: string): Buffer => createHmac('sha256', key).update(value).digest();
    const final = body.toString();
    const withoutProof = final.slice(0, final.lastIndexOf(',p='));
    const transcript = `${this.#firstBare},${this.#challengeText},${withoutProof}`;
    const clientKey = hmac(salted, 'Client Key');
    const signature = hmac(createHash('sha256').update(clientKey).digest(), transcript);
    const proof = Buffer.from(clientKey.map((byte, i) => byte ^ (signature[i] as number))).toString('base64');
    if (final.slice(final.lastIndexOf(',p=') + 3) !== proof) return this.#refuse('28P01');
    this.#send(
      frame('R', int32(12), Buffer.from(`v=${hmac(hmac(salted, 'Server Key'), transcript).toString('base64')}`)),
    );
    this.#welcome();
  }

  #welcome(): void {
    this.#send(frame('R', int32(0)));
    for (const [name, value] of [
      ['server_version', '18.1'],
      ['client_encoding', 'UTF8'],
      ['in_hot_standby', 'off'],
    ] as const)
      this.#send(frame('S', text(name), text(value)));
    this.#send(frame('K', int32(4242), int32(99)));
    this.#send(frame('Z', Buffer.from('I')));
    this.#started = true;
  }

  // --- batches -------------------------------------------------------------------------------------------------

  #answer(messages: readonly ClientMessage[]): void {
    this.#skipping = false;
    this.#fresh = new Set();
    const parts: BatchPart[] = [];
    const read: ReadBatch = { batch: firstTarget(messages)?.batch, stream: undefined, parts, lastFrame: -1 };
    this.batches.push(read);
    // A batch that comes anew is expected anew.
    if (read.batch !== undefined) this.expected.set(read.batch, { problem: undefined, sqlState: undefined, rows: [] });
    let bound: (() => void) | undefined;
    for (const [index, { type, body }] of messages.entries()) {
      if (this.ended) return;
      const reader = new BodyReader(body);
      if (type === 'C') {
        parts.push({ is: 'close' });
        if (body[0] === 0x50) this.#closePortal(body.toString('latin1', 1, body.length - 1), read);
        this.#statements.delete(body.toString('latin1', 1, body.length - 1));
        this.#send(frame('3', Buffer.alloc(0)));
      } else if (type === 'P') {
        const [name, sql] = [reader.string(), reader.string()];
        parts.push({ is: 'parse', name, sql, described: messages[index + 1]?.type === 'D' });
        this.#parse(name, sql, firstTarget(messages.slice(index)));
      } else if (type === 'B') {
        const portal = reader.string();
        const name = reader.string();
        const { first, formats } = boundValues(reader);
        const sql = this.#skipping ? undefined : this.#statements.get(name);
        const stream = streamOf(first) ?? copyOf(sql);
        if (stream !== undefined) {
          read.stream = stream;
          parts.push(portal === '' ? this.#copyPart(stream) : { is: 'open', sql: sql ?? '', name, formats });
          bound = this.#open({ name, sql, stream, portal, formats, read });
        } else {
          parts.push({ is: 'run', name, sql: sql ?? '', formats });
          bound = this.#bind({ name, sql, target: targetOf(first), formats });
        }
      } else if (type === 'D') this.#describe(body.toString('latin1', 1, body.length - 1));
      else if (type === 'E') {
        const portal = reader.string();
        if (portal === '') bound?.();
        else this.#fetch(portal, reader.int32(), read, parts);
      } else if (type === 'S') this.#ready(read);
      else if (type === 'H' && this.#copying === undefined) this.#flushed = read;
    }
  }

  #ready(read: ReadBatch): void {
    if (this.#status !== 'T') this.#portals.clear();
    // The flag is for a statement under way; none is now.
    this.cancelled = false;
    read.lastFrame = this.#send(frame('Z', Buffer.from(this.#status)));
  }

  #queryOf(sql: string): Query {
    return this.#plan.queries.find((query) => query.sql === sql) ?? SETTING;
  }

  #parse(name: string, sql: string, target: Target | undefined): void {
    if (this.#skipping) return;
    const query = this.#queryOf(sql);
    const run = target === undefined ? undefined : this.#runOf(target);
    if (this.#status === 'E' && query.command !== 'ROLLBACK' && query.command !== 'COMMIT')
      return this.#fail('25P02', target?.batch);
    if (run?.answer === 'parse error') return this.#fail('42601', target?.batch);
    this.#statements.set(name, sql);
    this.#fresh.add(name);
    this.#send(frame('1', Buffer.alloc(0)));
  }

  #describe(name: string): void {
    if (this.#skipping) return;
    const sql = this.#statements.get(name) ?? '';
    const query = this.#queryOf(sql);
    if (query === SETTING) {
      const columns = sql.includes('pg_backend_pid') ? [23, 25, 25] : [25];
      this.#send(
        frame(
          't',
          int16(sql.includes('$2') ? 2 : 0),
          sql.includes('$2') ? Buffer.concat([int32(25), int32(25)]) : Buffer.alloc(0),
        ),
      );
      this.#send(frame('T', columnsBody(columns.map((oid, i) => ({ name: `c${i}`, oid })))));
      return;
    }
    this.#send(frame('t', int16(1 + query.params.length), int32(25), ...query.params.map(([oid]) => int32(oid))));
    const columns = query.columns.map((column, i) => ({ name: `c${i}`, oid: COLUMN_TYPES[column]?.oid ?? 25 }));
    if (query.columns.length === 0 && query.command !== 'SELECT') this.#send(frame('n', Buffer.alloc(0)));
    else this.#send(frame('T', columnsBody(columns)));
  }

  #bind({ name, sql, target, formats }: Bound): (() => void) | undefined {
    if (this.#skipping) return undefined;
    const problem = sql === undefined ? '26000' : this.#bindProblem(name, sql, target);
    if (problem !== undefined) {
      this.#fail(problem, target?.batch);
      return undefined;
    }
    this.#send(frame('2', Buffer.alloc(0)));
    const query = this.#queryOf(sql as string);
    if (query === SETTING || target === undefined) return () => this.#runSetting(sql as string);
    return () => this.#run({ query, run: this.#runOf(target) as Run, target, formats });
  }

  #bindProblem(name: string, sql: string, target: Target | undefined): string | undefined {
    const { command } = this.#queryOf(sql);
    if (this.#status === 'E' && command !== 'ROLLBACK' && command !== 'COMMIT') return '25P02';
    const answer = target === undefined ? undefined : this.#runOf(target)?.answer;
    if (target === undefined || (answer !== 'bind error' && answer !== 'stale')) return undefined;
    if (answer === 'bind error') return '22P02';
    if (this.#fresh.has(name) || this.#attempted.has(target.batch)) return undefined;
    this.#attempted.add(target.batch);
    return '0A000';
  }

  #runSetting(sql: string): void {
    const values = sql.includes('pg_backend_pid') ? ['4242', '2026-01-01T00:00:00.000000Z', '18.1'] : ['on'];
    this.#send(frame('D', rowBody(values.map((value) => Buffer.from(value)))));
    this.#send(frame('C', text('SELECT 1')));
  }

  #run({ query, run, target, formats }: Running): void {
    if (this.#skipping) return;
    if (this.cancelled) {
      this.cancelled = false;
      return this.#fail('57014', target.batch);
    }
    const rows =
      query.columns.length === 0 && query.command !== 'SELECT' ? [] : plannedRows(this.#plan, query, run, target);
    const many = run.answer === 'error' || run.answer === 'fatal' ? Math.floor(rows.length / 2) : rows.length;
    const expectation = this.#expectation(target.batch);
    for (const row of rows.slice(0, many)) {
      const fields = row.map((one, i) => (one === null ? null : encoded(one, formats[i] ?? formats[0] ?? 0)));
      this.#send(frame('D', rowBody(fields)));
      if (row.some((one) => one?.refused === true)) expectation.problem ??= 'refused';
      if (expectation.problem === undefined)
        expectation.rows.push([target.statement, row.map((one) => one?.value ?? null)]);
    }
    if (run.answer === 'fatal') return this.#die(target.batch);
    if (run.answer === 'error') return this.#fail('22012', target.batch);
    this.#complete(query, rows.length, expectation);
  }

  // --- streams -------------------------------------------------------------------------------------------------

  #streamOf(exchange: number): Stream {
    return (
      this.#plan.exchanges[exchange]?.stream ?? {
        kind: 'cursor',
        query: 0,
        amount: 0,
        page: 1,
        pages: 0,
        answer: 'refused',
        throws: false,
      }
    );
  }

  #copyPart(exchange: number): BatchPart {
    return { is: 'copy', letters: this.#streamOf(exchange).kind === 'copy in' ? '2GC' : '2Hd*cC' };
  }

  /** A COPY is bound, or a cursor's portal. */
  #open({ name, sql, stream, portal, formats, read }: Opening): (() => void) | undefined {
    if (this.#skipping) return undefined;
    const { kind, answer } = this.#streamOf(stream);
    const refusal =
      sql === undefined ? '26000' : this.#status === 'E' ? '25P02' : answer === 'refused' ? '42501' : undefined;
    if (refusal !== undefined) {
      this.#fail(refusal, undefined);
      return undefined;
    }
    this.#send(frame('2', Buffer.alloc(0)));
    if (kind === 'cursor') {
      // Sync ends what is no transaction, and its portals with it.
      if (this.#status === 'T') this.#portals.set(portal, { stream, formats, name, sent: 0 });
      return undefined;
    }
    return () => this.#startCopy(stream, read);
  }

  #startCopy(stream: number, read: ReadBatch): void {
    const { kind, amount, answer } = this.#streamOf(stream);
    const shape = Buffer.concat([Buffer.from([0]), int16(1), int16(0)]);
    if (kind === 'copy in') {
      this.#send(frame('G', shape));
      this.copied.set(stream, Buffer.alloc(0));
      this.#copying = { stream, read };
      return;
    }
    this.#send(frame('H', shape));
    for (let i = 0; i < (answer === 'fails' ? amount >> 1 : amount); i += 1)
      this.#send(frame('d', copyPiece(this.#plan, i)));
    if (answer === 'fails') return this.#fail('22012', undefined);
    this.#send(frame('c', Buffer.alloc(0)));
    this.#send(frame('C', text(`COPY ${amount}`)));
  }

  /** Data of a COPY comes, or its end. */
  #copy({ stream, read }: { readonly stream: number; readonly read: ReadBatch }, { type, body }: ClientMessage): void {
    const { answer } = this.#streamOf(stream);
    if (type === 'd') {
      this.copied.set(stream, Buffer.concat([this.copied.get(stream) as Buffer, body]));
      if (answer === 'fails' && !this.#skipping) this.#fail('22P04', undefined);
    } else if (type === 'f' && !this.#skipping) this.#fail('57014', undefined);
    else if (type === 'c' && !this.#skipping) this.#send(frame('C', text('COPY 1')));
    else if (type === 'S') {
      this.#copying = undefined;
      this.#ready(read);
    }
  }

  #afterFlush(read: ReadBatch, { type }: ClientMessage): void {
    if (type !== 'S') return;
    this.#flushed = undefined;
    this.#ready(read);
  }

  #fetch(name: string, count: number, read: ReadBatch, parts: BatchPart[]): void {
    parts.push({ is: 'fetch', portal: name });
    const portal = this.#portals.get(name);
    read.stream = portal?.stream;
    if (this.#skipping) return;
    if (portal === undefined) return this.#fail('34000', undefined);
    const { query, answer, amount } = this.#streamOf(portal.stream);
    const rows = cursorRows(this.#plan, portal.stream);
    const page = rows.slice(portal.sent, portal.sent + count);
    portal.sent += page.length;
    for (const row of page) {
      const fields = row.map((one, i) =>
        one === null ? null : encoded(one, portal.formats[i] ?? portal.formats[0] ?? 0),
      );
      this.#send(frame('D', rowBody(fields)));
    }
    if (answer === 'fails' && portal.sent > 0) return this.#fail('22012', undefined);
    if (page.length === count) this.#send(frame('s', Buffer.alloc(0)));
    else
      this.#send(
        frame(
          'C',
          text(
            `${this.#plan.queries[query]?.command === 'INSERT' ? 'INSERT 0' : 'SELECT'} ${Math.min(amount, portal.sent)}`,
          ),
        ),
      );
  }

  #closePortal(name: string, read: ReadBatch): void {
    read.stream = this.#portals.get(name)?.stream;
    this.#portals.delete(name);
  }

  #complete(query: Query, count: number, expectation: Expectation): void {
    switch (query.command) {
      case '':
        this.#send(frame('I', Buffer.alloc(0)));
        return;
      case 'BEGIN':
        this.#status = 'T';
        break;
      case 'COMMIT':
      case 'ROLLBACK': {
        const failed = this.#status === 'E' && query.command === 'COMMIT';
        this.#status = 'I';
        this.#send(frame('C', text(failed ? 'ROLLBACK' : query.command)));
        if (failed) expectation.problem ??= 'rolled back';
        return;
      }
      case 'DISCARD ALL':
        this.#statements.clear();
        break;
      case 'INSERT':
        this.#send(frame('C', text(`INSERT 0 ${count}`)));
        return;
      case 'UPDATE':
      case 'SELECT':
        this.#send(frame('C', text(`${query.command} ${count}`)));
        return;
    }
    this.#send(frame('C', text(query.command)));
  }

  #fail(code: string, batch: number | undefined): void {
    this.#skipping = true;
    if (this.#status === 'T') this.#status = 'E';
    this.#send(frame('E', errorBody({ code, message: `error of batch ${batch}: "a value"` })));
    if (batch === undefined) return;
    const expectation = this.#expectation(batch);
    if (expectation.problem !== undefined) return;
    expectation.problem = 'error';
    expectation.sqlState = code;
  }

  #die(batch: number): void {
    this.#send(frame('E', errorBody({ severity: 'FATAL', code: '57P01', message: 'terminating connection' })));
    Object.assign(this.#expectation(batch), { problem: 'error', sqlState: '57P01' });
    this.ended = true;
  }

  #expectation(batch: number): Expectation {
    let found = this.expected.get(batch);
    if (found === undefined) {
      found = { problem: undefined, sqlState: undefined, rows: [] };
      this.expected.set(batch, found);
    }
    return found;
  }

  #runOf({ batch, statement }: Target): Run | undefined {
    return this.#plan.exchanges.flatMap(({ batches }) => batches)[batch]?.runs[statement];
  }

  #send(one: ServerFrame): number {
    if (this.#started && this.#noise.chance(this.#plan.noise)) this.#push(this.#noise.pick(NOISE));
    return this.#push(one);
  }

  #push(one: ServerFrame): number {
    this.#out.push(one);
    this.count += 1;
    return this.count - 1;
  }
}

interface Portal {
  readonly stream: number;
  readonly formats: readonly number[];
  readonly name: string;
  sent: number;
}

interface Opening {
  readonly name: string;
  readonly sql: string | undefined;
  readonly stream: number;
  readonly portal: string;
  readonly formats: readonly number[];
  readonly read: ReadBatch;
}

/** A cursor's first parameter says which exchange it is of. */
function streamOf(first: Buffer | null | undefined): number | undefined {
  const found = first === null || first === undefined ? null : /^stream (\d+)$/.exec(first.toString());
  return found === null ? undefined : Number(found[1]);
}

/** A COPY has no parameters: its text says it. */
function copyOf(sql: string | undefined): number | undefined {
  const found = /^copy t(\d+) /.exec(sql ?? '');
  return found === null ? undefined : Number(found[1]);
}

/** What a COPY moves, piece by piece. */
export function copyPiece(plan: Conversation, index: number): Buffer {
  return Buffer.from(`${plan.seed}\t${index}\n`.repeat(1 + (index % 7)));
}

/** The rows of an exchange's cursor. */
export function cursorRows(plan: Conversation, exchange: number): (Sample | null)[][] {
  const stream = plan.exchanges[exchange]?.stream;
  const query = stream === undefined ? undefined : plan.queries[stream.query];
  if (stream === undefined || query === undefined) return [];
  const run: Run = { query: stream.query, sets: 1, rows: stream.amount, answer: 'rows' };
  return plannedRows(plan, query, run, { batch: 7_000 + exchange, statement: 0, set: 0 });
}

const NOISE: readonly ServerFrame[] = [
  frame('N', errorBody({ severity: 'NOTICE', code: '00000', message: 'by the way' })),
  frame('S', text('TimeZone'), text('UTC')),
  frame('S', text('client_encoding'), text('UTF8')),
  frame('A', int32(7), text('channel'), text('payload')),
];

/** Which set of which statement of which batch a Bind is: its first parameter says it. */
interface Target {
  readonly batch: number;
  readonly statement: number;
  readonly set: number;
}

interface Bound {
  readonly name: string;
  readonly sql: string | undefined;
  readonly target: Target | undefined;
  readonly formats: readonly number[];
}

interface Running {
  readonly query: Query;
  readonly run: Run;
  readonly target: Target;
  readonly formats: readonly number[];
}

function targetOf(first: Buffer | null | undefined): Target | undefined {
  const parts = first?.toString().split('.').map(Number);
  if (parts?.length !== 3) return undefined;
  const [batch = 0, statement = 0, set = 0] = parts;
  return { batch, statement, set };
}

/** A Parse goes before its Bind: the one the error would belong to. */
function firstTarget(messages: readonly ClientMessage[]): Target | undefined {
  for (const { type, body } of messages) {
    if (type !== 'B') continue;
    const reader = new BodyReader(body);
    reader.string();
    reader.string();
    return targetOf(boundValues(reader).first);
  }
  return undefined;
}

function boundValues(reader: BodyReader): {
  readonly first: Buffer | null | undefined;
  readonly formats: readonly number[];
} {
  for (let left = reader.int16(); left > 0; left -= 1) reader.int16();
  const values = Array.from({ length: reader.int16() }, () => reader.value());
  const formats = Array.from({ length: reader.int16() }, () => reader.int16());
  return { first: values[0], formats };
}

/** The rows a run gives; the same each time it is asked. */
export function plannedRows(
  plan: Conversation,
  query: Query,
  run: Run,
  { batch, statement, set }: Target,
): (Sample | null)[][] {
  const random = new Random(plan.seed + batch * 1009 + statement * 131 + set * 17);
  return Array.from({ length: run.rows }, () =>
    query.columns.map((column) => {
      if (random.chance(0.1)) return null;
      const { samples = [] } = COLUMN_TYPES[column] ?? {};
      const sample = random.pick(samples);
      // Values that do not fit are rare, so that most answers are read to their end.
      return sample.refused && !random.chance(0.05) ? (samples.find((one) => !one.refused) ?? null) : sample;
    }),
  );
}
