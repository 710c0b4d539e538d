// What goes wrong with a server's messages, with knowledge of what they are: counts, lengths and types are changed
// where they stand, messages are lost, repeated and exchanged, and others come that nobody asked for.
import {
  columnsBody,
  errorBody,
  frame,
  framed,
  int16,
  int32,
  rowBody,
  SERVER_LETTERS,
  type ServerFrame,
  text,
} from './frames.ts';

export const MUTATIONS = [
  'length',
  'type',
  'drop',
  'duplicate',
  'swap',
  'truncate',
  'flip',
  'int16',
  'int32',
  'insert',
  'insert fitting',
  'remove',
  'remove fitting',
  'unsolicited',
  'unsolicited',
  'count',
  'field',
  'field',
  'oid',
  'status',
  'tag',
  'state',
  'flood',
  'giant',
  'unended',
  'text',
  'text',
  'text',
] as const;

export interface Mutation {
  /** The number of the message it strikes, counted over the whole session. */
  readonly at: number;
  readonly kind: (typeof MUTATIONS)[number];
  /** Chance that was drawn for it. */
  readonly a: number;
  readonly b: number;
}

/** What a message becomes. */
interface Struck {
  readonly before?: readonly Buffer[];
  readonly frame?: ServerFrame | undefined;
  /** Instead of the frame's own bytes. */
  readonly bytes?: Buffer;
  readonly after?: readonly Buffer[];
  /** The connection ends behind it. */
  readonly cut?: boolean;
  /** It changes places with the one behind it. */
  readonly swap?: boolean;
}

const INTERESTING = [
  0, 1, -1, 2, 3, 4, 5, 6, 7, 127, 128, 255, 256, 32767, -32768, 65535, 2147483647, -2147483648, 16777216,
];
const OIDS = [
  16, 17, 20, 21, 23, 25, 26, 114, 700, 701, 1184, 1700, 1007, 1009, 1000, 1016, 1001, 1185, 1020, 16999, 0, 4294967295,
];
const TAGS = [
  '',
  'ROLLBACK',
  'COMMIT',
  'BEGIN',
  'DISCARD ALL',
  'SELECT 99999999999999999999',
  'INSERT 0 -1',
  'SELECT',
  '7',
];
const STATES = ['0A000', '26000', 'XX000', '57014', '57P01', '40001', '53300', '22P02', '', 'zzzzz'];
const WORDS = [
  'NaN',
  '',
  '{',
  '{{1}',
  '{1,2',
  '"',
  '\\x0',
  '\\x0g',
  't',
  '9'.repeat(400),
  '1e309',
  '[1:1]={1}',
  '2024-13-45 99:99:99+00',
  '2024-01-01 00:00:00',
  '{{{{{{{{1}}}}}}}}',
  '\\400',
  '\\\\',
  'null',
  '1.5',
  '-infinity',
  '99999-01-01 00:00:00+00',
  '999999-12-31 23:59:59.999-15:59:59 BC',
  '1e400',
  '00012.50e2',
  '-',
  '{1}x',
  '"a',
  '{"a',
  '[',
  '{1,}',
];
const SCRAM = [
  'r=,s=,i=0',
  'e=other-error',
  'v=',
  'r=x,s=AAAA,i=2000000000',
  'i=1,r=y',
  'SCRAM-SHA-1\0\0',
  'SCRAM-SHA-256-PLUS\0\0',
  '\0',
];

const UNSOLICITED: readonly ServerFrame[] = [
  frame('R', int32(0)),
  frame('R', int32(3)),
  frame('R', int32(5), int32(1)),
  frame('R', int32(10), text('SCRAM-SHA-256'), Buffer.from([0])),
  frame('R', int32(12), Buffer.from('v=AAAA')),
  frame('K', int32(1), int32(2)),
  frame('G', Buffer.from([0]), int16(1), int16(0)),
  frame('H', Buffer.from([0]), int16(1), int16(0)),
  frame('W', Buffer.from([0]), int16(0)),
  frame('d', Buffer.from('a,b\n')),
  frame('c', Buffer.alloc(0)),
  frame('s', Buffer.alloc(0)),
  frame('v', int32(0), int32(1), text('_pq_.x')),
  frame('S', text('client_encoding'), text('LATIN1')),
  frame('S', text('client_encoding'), text('UTF8')),
  frame('S', text('TimeZone'), text('UTC')),
  frame('S', Buffer.from('no end')),
  frame('A', int32(7), text('channel'), text('payload')),
  frame('N', errorBody({ severity: 'NOTICE', code: '00000', message: 'a notice' })),
  frame('N', Buffer.from('SNOTICE')),
  frame('E', errorBody({ code: '22012', message: 'division by zero' })),
  frame('E', errorBody({ severity: 'FATAL', code: '57P01', message: 'terminating connection' })),
  frame('E', errorBody({ severity: 'PANIC', code: 'XX000', message: 'all is lost' })),
  frame('E', Buffer.from([0])),
  frame('E', Buffer.alloc(0)),
  frame('C', text('SELECT 1')),
  frame('C', text('COMMIT')),
  frame('C', Buffer.from('SELECT 1')),
  frame('D', rowBody([])),
  frame('D', rowBody([Buffer.from('1')])),
  frame('D', int16(65535)),
  frame('T', columnsBody([{ name: 'x', oid: 23 }])),
  frame('T', int16(65535)),
  frame('T', columnsBody([])),
  frame('t', int16(0)),
  frame('t', int16(9)),
  frame('n', Buffer.alloc(0)),
  frame('I', Buffer.alloc(0)),
  frame('1', Buffer.alloc(0)),
  frame('2', Buffer.alloc(0)),
  frame('3', Buffer.alloc(0)),
  frame('Z', Buffer.from('I')),
  frame('Z', Buffer.from('T')),
  frame('Z', Buffer.from('E')),
  frame('Z', Buffer.alloc(0)),
  frame('?', Buffer.from('what')),
];
const NOTICE = framed(frame('N', errorBody({ severity: 'NOTICE', code: '00000', message: 'again' })));

const pick = <T>(from: readonly T[], chance: number): T => from[chance % from.length] as T;

/** A copy of the body with `bytes` in place of as many at `at`. */
function overwritten(body: Buffer, at: number, bytes: Buffer): Buffer {
  const copy = Buffer.from(body);
  bytes.copy(copy, Math.max(0, Math.min(at, copy.length - bytes.length)));
  return copy;
}

/** Where the length of one of a row's fields stands. */
function fieldAt(body: Buffer, which: number): number {
  const count = body.length >= 2 ? body.readUInt16BE(0) : 0;
  let at = 2;
  for (let i = which % Math.max(1, count); i > 0 && at + 4 <= body.length; i -= 1)
    at += 4 + Math.max(0, body.readInt32BE(at));
  return at;
}

function splice(body: Buffer, { at, remove, bytes }: { at: number; remove: number; bytes: Buffer }): Buffer {
  return Buffer.concat([body.subarray(0, at), bytes, body.subarray(at + remove)]);
}

function struckField({ body, type }: ServerFrame, a: number, b: number): Buffer {
  if (type !== 'D') return overwritten(body, 0, int16(pick(INTERESTING, b)));
  const at = fieldAt(body, a);
  if (at + 4 > body.length) return body;
  const length = body.readInt32BE(at);
  return overwritten(
    body,
    at,
    int32(pick([-1, -2, 0, length + 1, length - 1, length + 4, length * 2, 2147483647, 65536], b)),
  );
}

/** Another value for one attribute of a SCRAM message, or another message. */
function otherScram(message: string, a: number, b: number): string {
  const parts = message.split(',');
  if (parts.length < 2 || a % 4 === 0) return pick(SCRAM, b);
  const which = a % parts.length;
  const name = (parts[which] as string).slice(0, 2);
  return parts
    .map((part, i) => (i === which ? name + pick(['', '0', '1', 'x', '2000000000', '-1', '!!!!'], b) : part))
    .join(',');
}

/** Another text in one field of a row, with all lengths as they should be. */
function otherText({ body, type }: ServerFrame, a: number, b: number): Buffer {
  if (type === 'R')
    return Buffer.concat([body.subarray(0, 4), Buffer.from(otherScram(body.toString('utf8', 4), a, b))]);
  if (type !== 'D') return body;
  const at = fieldAt(body, a);
  if (at + 4 > body.length) return body;
  const word = Buffer.from(pick(WORDS, b));
  const bytes = Buffer.concat([int32(word.length), word]);
  return splice(body, { at, remove: 4 + Math.max(0, body.readInt32BE(at)), bytes });
}

function otherType(body: Buffer, a: number, b: number): Buffer {
  // Behind a name's NUL stand the table and the column, then the type.
  const ends: number[] = [];
  for (let at = body.indexOf(0, 2); at !== -1 && at + 19 <= body.length; at = body.indexOf(0, at + 19)) ends.push(at);
  if (ends.length === 0) return overwritten(body, 2, int32(pick(OIDS, b)));
  return overwritten(body, pick(ends, a) + 7, int32(pick(OIDS, b)));
}

function otherBody(kind: Mutation['kind'], source: ServerFrame, { a, b }: Mutation): Buffer {
  const { body } = source;
  const at = body.length === 0 ? 0 : a % body.length;
  switch (kind) {
    case 'flip':
      return body.length === 0 ? body : overwritten(body, at, Buffer.from([(body[at] as number) ^ (1 << (b % 8))]));
    case 'int16':
      return body.length < 2 ? body : overwritten(body, at, int16(pick(INTERESTING, b)));
    case 'int32':
      return body.length < 4 ? body : overwritten(body, at, int32(pick(INTERESTING, b)));
    case 'insert fitting':
      return splice(body, { at, remove: 0, bytes: Buffer.alloc(1 + (b % 9), b >>> 8) });
    case 'remove fitting':
      return splice(body, { at, remove: 1 + (b % 9), bytes: Buffer.alloc(0) });
    case 'count':
      return body.length < 2
        ? body
        : overwritten(body, 0, int16(body.readUInt16BE(0) + pick([1, -1, 2, 255, 65535], a)));
    case 'field':
      return struckField(source, a, b);
    case 'oid':
      return otherType(body, a, b);
    case 'status':
      return Buffer.from([pick([0x49, 0x54, 0x45, 0x00, 0x78], a)]);
    case 'tag':
      return text(pick(TAGS, a));
    case 'state':
      return errorBody({
        severity: pick(['ERROR', 'FATAL', 'PANIC', 'WARNING', ''], a),
        code: pick(STATES, b),
        message: 'changed',
      });
    case 'unended':
      return body.subarray(0, body.length - 1);
    case 'text':
      return otherText(source, a, b);
    default:
      return body;
  }
}

function strike(source: ServerFrame, mutation: Mutation): Struck {
  const { kind, a, b } = mutation;
  const own = framed(source);
  switch (kind) {
    case 'length':
      return {
        bytes: framed(
          source,
          pick([0, 3, -1, 4, 5, own.length, own.length + 40, 2147483647, -2147483648, 8193, 67108865], a),
        ),
      };
    case 'type':
      return {
        frame: {
          ...source,
          type: a % 3 === 0 ? String.fromCharCode(b % 256) : (SERVER_LETTERS[b % SERVER_LETTERS.length] as string),
        },
      };
    case 'drop':
      return {};
    case 'duplicate':
      return { frame: source, after: [own] };
    case 'swap':
      return { frame: source, swap: true };
    case 'truncate':
      return { bytes: own.subarray(0, a % own.length), cut: true };
    case 'insert':
      return { bytes: splice(own, { at: a % own.length, remove: 0, bytes: Buffer.alloc(1 + (b % 9), b >>> 8) }) };
    case 'remove':
      return { bytes: splice(own, { at: a % own.length, remove: 1 + (b % 9), bytes: Buffer.alloc(0) }) };
    case 'unsolicited':
      return b % 2 === 0
        ? { before: [framed(pick(UNSOLICITED, a))], frame: source }
        : { frame: source, after: [framed(pick(UNSOLICITED, a))] };
    case 'flood':
      return { before: Array.from({ length: 20 + (a % 200) }, () => NOTICE), frame: source };
    case 'giant':
      return {
        bytes: Buffer.concat([framed({ type: source.type, body: Buffer.alloc(a % 300_000) }, 60_000_000)]),
        cut: b % 2 === 0,
      };
    default:
      return { frame: { ...source, body: otherBody(kind, source, mutation) } };
  }
}

/** Mutations that stay within their message, one for each letter it is about; on another letter they mean nothing. */
const ONLY: Partial<Record<Mutation['kind'], string>> = {
  status: 'Z',
  tag: 'C',
  state: 'E',
  oid: 'Tt',
  text: 'DR',
  count: 'DTt',
};

/** Whether the mutation changes a message of this kind. */
export function strikes(mutation: Mutation, { type, raw }: ServerFrame): boolean {
  return raw !== true && (ONLY[mutation.kind]?.includes(type) ?? true);
}

/** The bytes of messages of which some are struck; `pieces` are those of one message each. */
export function mutate(
  frames: readonly ServerFrame[],
  mutationOf: (index: number) => Mutation | undefined,
): { readonly pieces: Buffer[]; readonly cut: boolean } {
  const pieces: Buffer[] = [];
  let held: Buffer | undefined;
  for (const [index, source] of frames.entries()) {
    const mutation = mutationOf(index);
    const struck: Struck =
      mutation !== undefined && strikes(mutation, source) ? strike(source, mutation) : { frame: source };
    const own = struck.bytes ?? (struck.frame === undefined ? undefined : framed(struck.frame));
    if (struck.before !== undefined) pieces.push(...struck.before);
    if (struck.swap === true && own !== undefined) {
      held = own;
      continue;
    }
    if (own !== undefined) pieces.push(own);
    if (struck.after !== undefined) pieces.push(...struck.after);
    if (struck.cut === true) return { pieces, cut: true };
    if (held !== undefined) pieces.push(held);
    held = undefined;
  }
  if (held !== undefined) pieces.push(held);
  return { pieces, cut: false };
}
