// A conversation between a client and a server as plain data, made from a seed: what the client asks, what the server
// is to answer, and what is done to the answers on their way. Plain, so that a failing one can be made smaller.
import type { Scalar, WireKind } from '../../src/driver/driver.ts';
import { Random } from '../random.ts';
import { COLUMN_TYPES } from './values.ts';
import { MUTATIONS, type Mutation } from './mutations.ts';

/** A statement text. Columns are indices into COLUMN_TYPES. */
export interface Query {
  readonly sql: string;
  readonly command: 'SELECT' | 'INSERT' | 'UPDATE' | 'BEGIN' | 'COMMIT' | 'ROLLBACK' | 'DISCARD ALL' | '';
  readonly columns: readonly number[];
  readonly prepare: boolean;
  /** Types and kinds of the parameters behind the first. */
  readonly params: readonly (readonly [oid: number, kind: WireKind | undefined, value: Scalar])[];
}

/** One statement of a batch and what is to become of it. */
export interface Run {
  readonly query: number;
  readonly sets: number;
  readonly rows: number;
  readonly answer: 'rows' | 'parse error' | 'bind error' | 'error' | 'stale' | 'fatal';
}

export type SignalUse = 'none' | 'idle' | 'aborted' | 'abort' | 'abort late';

/** One submitted batch. */
export interface Batch {
  readonly runs: readonly Run[];
  readonly signal: SignalUse;
  /** The client's own sink throws at its first row. */
  readonly sinkThrows: boolean;
}

/** Batches that are submitted before the first of them is answered, and what the client does beside. */
export interface Exchange {
  readonly batches: readonly Batch[];
  readonly beside: 'none' | 'close' | 'destroy' | 'cancel';
  /** What follows the batches. */
  readonly stream: Stream | undefined;
}

/** A COPY, or a cursor that is read to its end or not. */
export interface Stream {
  readonly kind: 'copy in' | 'copy out' | 'cursor';
  /** The cursor's statement. */
  readonly query: number;
  /** Rows, or pieces of data. */
  readonly amount: number;
  /** Rows of a page. */
  readonly page: number;
  /** Pages that are asked for. */
  readonly pages: number;
  readonly answer: 'goes' | 'refused' | 'fails';
  /** The client's own end of it throws half way. */
  readonly throws: boolean;
}

export interface Startup {
  readonly auth: 'none' | 'password' | 'md5' | 'scram';
  /** What becomes of the client's question for encryption. */
  readonly tls: 'not asked' | 'declined' | 'accepted';
  readonly refusal: string | undefined;
  /** What is particular about the client's options. */
  readonly options: 'plain' | 'scram only' | 'no password' | 'odd password' | 'channel binding' | 'far host';
}

/** How the bytes arrive: in how large pieces, and whether the client's other work runs in between. */
export interface Pieces {
  readonly size: 'whole' | 'frame' | 'byte' | 'random' | 'header';
  readonly breathe: boolean;
}

export interface Conversation {
  readonly seed: number;
  readonly startup: Startup | undefined;
  readonly queries: readonly Query[];
  readonly exchanges: readonly Exchange[];
  readonly mutations: readonly Mutation[];
  readonly pieces: Pieces;
  /** How likely a notice, a setting or a notification is before any message. */
  readonly noise: number;
  readonly limit: number;
  readonly cacheSize: number;
  readonly cancelFails: boolean;
  readonly noticeThrows: boolean;
}

const FRAMING: readonly Query[] = (['BEGIN', 'COMMIT', 'ROLLBACK', 'DISCARD ALL', ''] as const).map((command) => ({
  sql: `${command === '' ? '-- nothing' : command.toLowerCase()} /* $1 */`,
  command,
  columns: [],
  prepare: false,
  params: [],
}));

const PARAMETERS: readonly (readonly [number, WireKind | undefined, Scalar])[] = [
  [23, 'integer', 7],
  [23, undefined, 2147483648],
  [21, 'integer', -3],
  [21, 'integer', 70000],
  [20, 'bigint', 9007199254740993n],
  [20, 'integer', 12],
  [20, undefined, 1.5],
  [701, 'float', 0.1],
  [701, 'integer', 1],
  [16, 'boolean', true],
  [17, 'bytes', new Uint8Array([0, 255])],
  [25, 'text', 'grüße'],
  [3802, 'json', '{"a":1}'],
  [114, 'json', '[]'],
  [1184, 'epoch', 1710074096789],
  [1184, 'epoch', -8.64e15],
  [1700, undefined, '1.50'],
  [1007, 'integer[]', [1, null, 3]],
  [1009, 'text[]', ['a"b', null]],
  [1007, 'integer[]', []],
  [1009, 'text[]', [['a'], ['b']]],
  [0, undefined, null],
];

function makeQuery(random: Random, index: number): Query {
  const returns = !random.chance(0.25);
  const columns = returns
    ? Array.from({ length: random.chance(0.01) ? 250 : random.between(0, 6) }, () => random.int(COLUMN_TYPES.length))
    : [];
  const command =
    columns.length === 0
      ? random.pick(['INSERT', 'UPDATE'] as const)
      : random.pick(['SELECT', 'SELECT', 'INSERT'] as const);
  return {
    sql: `${command.toLowerCase()} ${index}`,
    command,
    columns,
    prepare: random.chance(0.7),
    params: Array.from({ length: random.int(4) }, () => random.pick(PARAMETERS)),
  };
}

function makeRun(random: Random, queries: number): Run {
  const answer = random.chance(0.85)
    ? 'rows'
    : random.pick(['parse error', 'bind error', 'error', 'error', 'stale', 'stale', 'stale', 'fatal'] as const);
  return {
    query: random.int(queries),
    sets: random.chance(0.1) ? random.between(2, 4) : 1,
    rows: random.chance(0.02) ? random.between(50, 400) : random.int(5),
    answer,
  };
}

function makeBatch(random: Random, queries: number): Batch {
  const signal = random.chance(0.85) ? 'none' : random.pick(['idle', 'aborted', 'abort', 'abort late'] as const);
  const runs = Array.from({ length: random.chance(0.6) ? 1 : random.between(2, 4) }, () => makeRun(random, queries));
  return { runs, signal, sinkThrows: random.chance(0.005) };
}

function makeStream(random: Random, queries: readonly Query[]): Stream {
  const returning = [...queries.keys()].filter((query) => (queries[query]?.columns.length ?? 0) > 0);
  const kind =
    returning.length === 0
      ? random.pick(['copy in', 'copy out'] as const)
      : random.pick(['copy in', 'copy out', 'cursor', 'cursor'] as const);
  return {
    kind,
    query: returning.length === 0 ? 0 : random.pick(returning),
    amount: random.chance(0.1) ? random.between(20, 100) : random.int(8),
    page: random.between(1, 5),
    pages: random.between(0, 4),
    answer: random.chance(0.8) ? 'goes' : random.pick(['refused', 'fails'] as const),
    throws: random.chance(0.15),
  };
}

/** Batches, and perhaps a stream behind them; a cursor mostly finds a transaction open. */
function makeExchange(random: Random, queries: readonly Query[]): Exchange {
  const batches = Array.from({ length: random.chance(0.5) ? 1 : random.between(2, 5) }, () =>
    makeBatch(random, queries.length),
  );
  const stream = random.chance(0.25) ? makeStream(random, queries) : undefined;
  const begin: Batch = { runs: [{ query: 0, sets: 1, rows: 0, answer: 'rows' }], signal: 'none', sinkThrows: false };
  return {
    batches: stream?.kind === 'cursor' && random.chance(0.9) ? [...batches, begin] : batches,
    beside: random.chance(0.95) ? 'none' : random.pick(['close', 'destroy', 'cancel'] as const),
    stream,
  };
}

function makeStartup(random: Random): Startup {
  return {
    auth: random.pick(['none', 'password', 'md5', 'scram', 'scram'] as const),
    tls: random.pick(['not asked', 'not asked', 'declined', 'accepted'] as const),
    options: random.chance(0.7)
      ? 'plain'
      : random.pick(['scram only', 'no password', 'odd password', 'channel binding', 'far host'] as const),
    refusal: random.chance(0.1) ? random.pick(['28P01', '53300', '57P03', '3D000']) : undefined,
  };
}

/** About how many messages the server will have sent before the last exchange. */
function weigh(exchanges: readonly Exchange[]): number {
  let count = 0;
  for (const { batches, stream } of exchanges) {
    for (const { runs } of batches) for (const { sets, rows } of runs) count += 4 + sets * (2 + rows);
    if (stream !== undefined) count += 6 + stream.amount;
  }
  return count;
}

/** The conversation of a seed. About one in six is not tampered with, and must go right to the letter. */
export function makeConversation(seed: number): Conversation {
  const random = new Random(seed);
  const queries = [...FRAMING, ...Array.from({ length: random.between(1, 5) }, (_, i) => makeQuery(random, i))];
  const startup = random.chance(0.2) ? makeStartup(random) : undefined;
  const exchanges = Array.from({ length: random.between(1, 5) }, () => makeExchange(random, queries));
  const opening = startup === undefined ? 0 : random.chance(0.5) ? 12 : 40;
  const span = startup !== undefined && opening === 12 ? 12 : weigh(exchanges) + opening;
  const strikes = random.chance(0.15) ? 0 : random.chance(0.7) ? 1 : random.between(2, 4);
  return {
    seed,
    startup,
    queries,
    exchanges,
    mutations: Array.from({ length: strikes }, () => ({
      at: random.int(span),
      kind: random.pick(MUTATIONS),
      a: random.fork(),
      b: random.fork(),
    })),
    pieces: {
      size: random.pick(['whole', 'whole', 'frame', 'byte', 'random', 'header'] as const),
      breathe: random.chance(0.3),
    },
    noise: random.chance(0.3) ? 0.2 : 0,
    limit: random.chance(0.2) ? 8192 : 1 << 26,
    cacheSize: random.chance(0.3) ? random.between(1, 2) : 256,
    cancelFails: random.chance(0.1),
    noticeThrows: random.chance(0.2),
  };
}
