// Judges what the client made of the bytes it was given, by a second reading of them that shares nothing with the
// driver: a batch may only succeed on an answer in the order of the protocol, and only with the rows that are in it.
import type { Scalar } from '../../src/driver/driver.ts';
import type { Conversation } from './conversation.ts';
import type { BatchPart, ReadBatch } from './server.ts';
import { COLUMN_TYPES, meaning, same } from './values.ts';

interface Message {
  readonly type: string;
  readonly body: Buffer;
}

/** What a batch delivered before it succeeded. */
export interface Delivered {
  readonly rows: readonly (readonly [statement: number, row: readonly Scalar[]])[];
  readonly counts: readonly (number | undefined)[];
}

interface Column {
  readonly oid: number;
}

/** The whole messages of a stream, up to the first that cannot be one; `after` is where the session proper begins. */
function cut(stream: Buffer): Message[] {
  const messages: Message[] = [];
  for (let at = 0; at + 5 <= stream.length; ) {
    const end = at + 1 + stream.readInt32BE(at + 1);
    if (end < at + 5 || end > stream.length) break;
    messages.push({ type: String.fromCharCode(stream[at] as number), body: stream.subarray(at + 5, end) });
    at = end;
  }
  return messages;
}

/** Answers, each up to its ReadyForQuery, without what may come at any time. */
function answers(messages: readonly Message[]): Message[][] {
  const all: Message[][] = [[]];
  for (const message of messages) {
    if ('NSA'.includes(message.type)) continue;
    all.at(-1)?.push(message);
    if (message.type === 'Z') all.push([]);
  }
  return all;
}

const LETTERS: { readonly [K in BatchPart['is']]: (part: BatchPart) => string } = {
  close: () => '3',
  parse: (part) => (part.is === 'parse' && part.described ? '1t(?:T|n)' : '1'),
  copy: (part) => (part.is === 'copy' ? part.letters : ''),
  open: () => '2',
  fetch: () => 'D*[sC]',
  run: () => '2D*[CI]',
};

/** The letters a successful answer is made of. */
function grammar(parts: readonly BatchPart[]): RegExp {
  const letters = parts.map((part) => LETTERS[part.is](part));
  return new RegExp(`^${letters.join('')}Z$`);
}

function columnsOf(body: Buffer): Column[] | undefined {
  if (body.length < 2) return undefined;
  const columns: Column[] = [];
  let at = 2;
  for (let left = body.readUInt16BE(0); left > 0; left -= 1) {
    const end = body.indexOf(0, at);
    if (end === -1 || end + 19 > body.length) return undefined;
    columns.push({ oid: body.readUInt32BE(end + 7) });
    at = end + 19;
  }
  return at === body.length ? columns : undefined;
}

/** The fields of a row, or nothing where lengths and counts do not agree. */
function fieldsOf(body: Buffer): (Buffer | null)[] | undefined {
  if (body.length < 2) return undefined;
  const fields: (Buffer | null)[] = [];
  let at = 2;
  for (let left = body.readUInt16BE(0); left > 0; left -= 1) {
    if (at + 4 > body.length) return undefined;
    const length = body.readInt32BE(at);
    at += 4;
    if (length < -1 || at + length > body.length) return undefined;
    fields.push(length === -1 ? null : body.subarray(at, at + length));
    at += Math.max(0, length);
  }
  return at === body.length ? fields : undefined;
}

export class Reference {
  readonly #plan: Conversation;
  readonly #read: readonly ReadBatch[];
  readonly #answers: Message[][];
  /** What each run of each batch returns. */
  readonly #columns = new Map<string, Column[] | undefined>();

  /** `stream`: all that was brought to the client, less what is no message. */
  /** What portals return, by the number of their exchange. */
  readonly #opened = new Map<
    number,
    { readonly columns: Column[] | undefined; readonly part: Extract<BatchPart, { is: 'open' }> }
  >();

  constructor(plan: Conversation, read: readonly ReadBatch[], stream: Buffer) {
    this.#plan = plan;
    this.#read = read;
    // A startup ends with an end of its own.
    this.#answers = answers(cut(stream)).slice(plan.startup === undefined ? 0 : 1);
    this.#walk();
  }

  /** What is wrong with the success of a batch, if anything is. */
  wrong(batch: number, delivered: Delivered): string | undefined {
    const index = this.#read.findLastIndex((read) => read.batch === batch);
    const read = this.#read[index];
    const answer = this.#answers[index];
    if (read === undefined || answer === undefined) return 'it succeeded without an answer';
    const letters = answer.map(({ type }) => type).join('');
    if (!grammar(read.parts).test(letters)) return `it succeeded on the answer ${letters}`;
    if (answer.at(-1)?.body.length !== 1) return 'it succeeded on an end of the wrong size';
    return this.#wrongRows({ index, read, answer, batch }, delivered);
  }

  /** What is wrong with the success of an exchange's stream, of which so much was received. */
  wrongStream(exchange: number, { rows, bytes }: Streamed): string | undefined {
    const data: Buffer[] = [];
    const found: Message[] = [];
    if (!this.#read.some(({ stream }) => stream === exchange)) return 'it succeeded without an answer';
    for (const [index, read] of this.#read.entries()) {
      // A portal whose end is not confirmed has ended with its connection.
      if (read.stream !== exchange || read.parts.every(({ is }) => is === 'close')) continue;
      const answer = this.#answers[index] ?? [];
      const letters = answer.map(({ type }) => type).join('');
      if (!grammar(read.parts).test(letters)) return `it succeeded on the answer ${letters}`;
      for (const message of answer) {
        if (message.type === 'd') data.push(message.body);
        if (message.type === 'D') found.push(message);
      }
    }
    if (Buffer.compare(Buffer.concat(data), bytes) !== 0) return 'what was copied is not what was sent';
    if (found.length !== rows.length) return `${rows.length} rows were read of ${found.length}`;
    return this.#wrongPages(exchange, found, rows);
  }

  #wrongPages(
    exchange: number,
    messages: readonly Message[],
    rows: readonly (readonly Scalar[])[],
  ): string | undefined {
    const { columns, part } = this.#opened.get(exchange) ?? {};
    for (const [at, { body }] of messages.entries()) {
      const fields = fieldsOf(body);
      if (columns === undefined || part === undefined || fields?.length !== columns.length)
        return 'a damaged row was taken';
      const query = this.#plan.queries.find(({ sql }) => sql === part.sql);
      const wrong = fields.findIndex((field, i) => !meant({ query, part, columns, i }, field, rows[at]?.[i] as Scalar));
      if (wrong !== -1) return `row ${at}, column ${wrong} of the cursor is not what was sent`;
    }
    return undefined;
  }

  /** Follows what statements return through all answers. */
  #walk(): void {
    const known = new Map<string, Column[] | undefined>();
    for (const [index, { parts }] of this.#read.entries()) {
      const described = (this.#answers[index] ?? []).filter(({ type }) => type === 'T' || type === 'n');
      let run = 0;
      for (const part of parts) {
        if (part.is === 'parse' && part.described) {
          const message = described.shift();
          if (message !== undefined) known.set(part.name, message.type === 'T' ? columnsOf(message.body) : undefined);
        }
        if (part.is === 'open')
          this.#opened.set(this.#read[index]?.stream ?? -1, { columns: known.get(part.name), part });
        if (part.is === 'run') this.#columns.set(`${index}:${run++}`, known.get(part.name));
      }
    }
  }

  #wrongRows({ index, read, answer, batch }: Judged, { rows, counts }: Delivered): string | undefined {
    const runs = read.parts.filter((part) => part.is === 'run');
    const steps = answer.filter(({ type }) => 'DCI2'.includes(type));
    const sets = this.#plan.exchanges.flatMap(({ batches }) => batches)[batch]?.runs.map((run) => run.sets) ?? [];
    let at = 0;
    let run = -1;
    for (const { type, body } of steps) {
      if (type === '2') run += 1;
      if (type !== 'D') continue;
      const part = runs[run] as Extract<BatchPart, { is: 'run' }>;
      const statement = statementOf(sets, run);
      const columns = this.#columns.get(`${index}:${run}`);
      const fields = fieldsOf(body);
      const given = rows[at];
      at += 1;
      if (columns === undefined || fields === undefined || fields.length !== columns.length)
        return 'a damaged row was taken';
      if (given === undefined || given[0] !== statement || given[1].length !== fields.length)
        return `row ${at} is missing or another one`;
      const query = this.#plan.queries.find(({ sql }) => sql === part.sql);
      const wrong = fields.findIndex((field, i) => !meant({ query, part, columns, i }, field, given[1][i] as Scalar));
      if (wrong !== -1) return `row ${at}, column ${wrong} is not what was sent`;
    }
    if (at !== rows.length) return `${rows.length} rows were delivered of ${at}`;
    return counts.length === sets.length
      ? undefined
      : `${counts.length} of ${sets.length} statements were said to be done`;
  }
}

/** What came of a stream. */
export interface Streamed {
  readonly rows: readonly (readonly Scalar[])[];
  readonly bytes: Buffer;
}

interface Judged {
  readonly index: number;
  readonly read: ReadBatch;
  readonly answer: readonly Message[];
  readonly batch: number;
}

function statementOf(sets: readonly number[], run: number): number {
  let left = run;
  for (const [statement, count] of sets.entries()) {
    if (left < count) return statement;
    left -= count;
  }
  return -1;
}

interface Place {
  readonly query: Conversation['queries'][number] | undefined;
  readonly part: { readonly formats: readonly number[] };
  readonly columns: readonly Column[];
  readonly i: number;
}

/** Whether a field may have become this value: exactly, where the bytes are known ones. */
function meant({ query, part, columns, i }: Place, field: Buffer | null, value: Scalar): boolean {
  if (field === null) return value === null;
  const format = part.formats.length === 1 ? (part.formats[0] ?? 0) : (part.formats[i] ?? 0);
  const column = query?.columns[i];
  const kind = column === undefined ? undefined : COLUMN_TYPES[column]?.kind;
  const known = meaning({ oid: columns[i]?.oid ?? 0, kind, format }, field);
  return known === undefined || (!known.refused && same(known.value, value));
}
