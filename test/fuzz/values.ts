// Column types with values of each: how a server spells them in text and in binary, and what a client must make of
// them. Written from the protocol's description, not from the decoders.
import type { Scalar, WireKind } from '../../src/driver/driver.ts';

/** One value. `refused`: the form that was asked for cannot hold it. */
export interface Sample {
  readonly text: Buffer;
  readonly binary: Buffer | undefined;
  readonly value: Scalar;
  readonly refused: boolean;
}

/** A type as one statement asks for it. */
export interface ColumnType {
  readonly oid: number;
  readonly kind: WireKind | undefined;
  readonly samples: readonly Sample[];
}

const bytes = (length: number, write: (buffer: Buffer) => void): Buffer => {
  const buffer = Buffer.alloc(length);
  write(buffer);
  return buffer;
};
const i16 = (value: number): Buffer => bytes(2, (buffer) => buffer.writeInt16BE(value));
const i32 = (value: number): Buffer => bytes(4, (buffer) => buffer.writeInt32BE(value));
const u32 = (value: number): Buffer => bytes(4, (buffer) => buffer.writeUInt32BE(value));
const i64 = (value: bigint): Buffer => bytes(8, (buffer) => buffer.writeBigInt64BE(value));
const f64 = (value: number): Buffer => bytes(8, (buffer) => buffer.writeDoubleBE(value));

function sample(text: string, value: Scalar, binary?: Buffer): Sample {
  return { text: Buffer.from(text), binary, value, refused: false };
}

function refused(text: string, binary?: Buffer): Sample {
  return { text: Buffer.from(text), binary, value: null, refused: true };
}

/** The binary form of an array; `null` is a null element. */
function array(element: number, dimensions: readonly number[], items: readonly (Buffer | null)[], lower = 1): Buffer {
  const nulls = items.includes(null) ? 1 : 0;
  const head = [i32(dimensions.length), i32(nulls), u32(element)];
  for (const size of dimensions) head.push(i32(size), i32(lower));
  const body = items.flatMap((item) => (item === null ? [i32(-1)] : [i32(item.length), item]));
  return Buffer.concat([...head, ...body]);
}

const MOMENT = Date.UTC(2024, 2, 10, 12, 34, 56, 789);
const micros = (milliseconds: number): Buffer => i64(BigInt(milliseconds - Date.UTC(2000, 0, 1)) * 1000n);
const LONG = 'a longer text '.repeat(300);
const texts = ['', 'plain', 'grüße 🜂 \u{10ffff}', 'it\'s \\ "quoted" {,}', LONG].map((text) => sample(text, text));

function smallInteger(values: readonly (readonly [number, Buffer])[], kind: WireKind | undefined): Sample[] {
  return values.map(([value, binary]) => sample(String(value), kind === 'bigint' ? BigInt(value) : value, binary));
}

const int2: readonly (readonly [number, Buffer])[] = [0, 7, -32768, 32767].map((value) => [value, i16(value)]);
const int4: readonly (readonly [number, Buffer])[] = [0, -1, 2147483647, -2147483648].map((value) => [
  value,
  i32(value),
]);
const oid: readonly (readonly [number, Buffer])[] = [0, 4294967295].map((value) => [value, u32(value)]);
const integerKinds = [undefined, 'integer', 'bigint', 'float'] as const;
const small = (type: number, values: readonly (readonly [number, Buffer])[]): ColumnType[] =>
  integerKinds.map((kind) => ({ oid: type, kind, samples: smallInteger(values, kind) }));

const bigints = [0n, -5n, 9007199254740993n, -9223372036854775808n];
const UNSAFE = 9007199254740993n;

function wide(): Sample[] {
  return [
    ...[0n, -5n, 9007199254740991n].map((value) => sample(String(value), Number(value), i64(value))),
    refused(String(UNSAFE), i64(UNSAFE)),
  ];
}

const bytea = [Buffer.alloc(0), Buffer.from([0, 255, 92, 39]), Buffer.from('hello')];
const asBytes = bytea.flatMap((value) => [
  sample(`\\x${value.toString('hex')}`, new Uint8Array(value), value),
  sample(
    [...value]
      .map((byte) =>
        byte === 92
          ? '\\\\'
          : byte < 32 || byte > 126
            ? `\\${byte.toString(8).padStart(3, '0')}`
            : String.fromCharCode(byte),
      )
      .join(''),
    new Uint8Array(value),
    value,
  ),
]);

const integers = [
  sample('{}', [], array(23, [], [])),
  sample('{1,NULL,3}', [1, null, 3], array(23, [3], [i32(1), null, i32(3)])),
  sample(
    '{{1,2},{3,4}}',
    [
      [1, 2],
      [3, 4],
    ],
    array(23, [2, 2], [1, 2, 3, 4].map(i32)),
  ),
  sample('[0:1]={5,6}', [5, 6], array(23, [2], [i32(5), i32(6)], 0)),
];
const textList = ['{a,"b,c",NULL,"q\\"x\\\\"}', '{"",null,"NULL"}'];
const textLists = [
  sample(textList[0] as string, ['a', 'b,c', null, 'q"x\\']),
  sample(textList[1] as string, ['', 'null', 'NULL']),
  sample('{}', []),
];

/** Every pair of a type and a form that has something of its own. */
export const COLUMN_TYPES: readonly ColumnType[] = [
  { oid: 16, kind: undefined, samples: [sample('t', true, Buffer.from([1])), sample('f', false, Buffer.from([0]))] },
  { oid: 16, kind: 'boolean', samples: [sample('t', true, Buffer.from([1])), sample('f', false, Buffer.from([0]))] },
  ...small(21, int2),
  ...small(23, int4),
  ...small(26, oid),
  { oid: 20, kind: undefined, samples: bigints.map((value) => sample(String(value), value, i64(value))) },
  { oid: 20, kind: 'bigint', samples: bigints.map((value) => sample(String(value), value, i64(value))) },
  { oid: 20, kind: 'integer', samples: wide() },
  { oid: 20, kind: 'float', samples: wide() },
  {
    oid: 700,
    kind: undefined,
    samples: [sample('1.5', 1.5), sample('NaN', Number.NaN), sample('-Infinity', Number.NEGATIVE_INFINITY)],
  },
  { oid: 700, kind: 'integer', samples: [sample('2', 2), refused('1.5'), refused('1e+20')] },
  { oid: 700, kind: 'bigint', samples: [sample('2', 2n), refused('0.5')] },
  {
    oid: 701,
    kind: 'float',
    samples: [0.1, -0, 1e300, Number.NaN, Number.POSITIVE_INFINITY].map((value) =>
      sample(Object.is(value, -0) ? '-0' : String(value), value, f64(value)),
    ),
  },
  { oid: 701, kind: 'integer', samples: [sample('2', 2), refused('NaN')] },
  { oid: 701, kind: 'bigint', samples: [sample('2', 2n), refused('1e+300')] },
  { oid: 17, kind: undefined, samples: asBytes },
  { oid: 17, kind: 'bytes', samples: asBytes },
  { oid: 25, kind: undefined, samples: texts },
  { oid: 1043, kind: 'text', samples: texts },
  { oid: 25, kind: 'boolean', samples: [refused('t')] },
  { oid: 114, kind: 'json', samples: [sample('{"__proto__":1}', '{"__proto__":1}')] },
  { oid: 3802, kind: 'json', samples: [sample('[1]', '[1]')] },
  { oid: 1700, kind: undefined, samples: [sample('12.340', '12.340'), sample('NaN', 'NaN')] },
  { oid: 1700, kind: 'integer', samples: [sample('12.00', 12), refused('1.5'), refused('9007199254740993')] },
  { oid: 1700, kind: 'bigint', samples: [sample('98765432109876543210', 98765432109876543210n), refused('0.1')] },
  {
    oid: 1700,
    kind: 'float',
    samples: [sample('0.10', 0.1), sample('1e2', 100), refused('0.10000000000000000000001'), sample('NaN', Number.NaN)],
  },
  { oid: 1184, kind: undefined, samples: [sample('2024-03-10 12:34:56.789+00', '2024-03-10 12:34:56.789+00')] },
  {
    oid: 1184,
    kind: 'epoch',
    samples: [
      sample('2024-03-10 12:34:56.789+00', MOMENT, micros(MOMENT)),
      sample('2024-03-10 18:19:56.789+05:45', MOMENT, micros(MOMENT)),
      sample('0001-01-01 00:00:00+00 BC', -62167219200000, micros(-62167219200000)),
      sample('12000-01-01 00:00:00+00', Date.UTC(12000, 0, 1), micros(Date.UTC(12000, 0, 1))),
      refused('2024-03-10 12:34:56.789123+00', i64(763389296789123n)),
      refused('infinity', i64(9223372036854775807n)),
      refused('-infinity', i64(-9223372036854775808n)),
      refused('294276-12-31 23:59:59+00', i64(9223371331199000000n)),
    ],
  },
  {
    oid: 2950,
    kind: undefined,
    samples: [sample('0189f7ea-ae2c-7809-8aeb-b819cf5e9e7f', '0189f7ea-ae2c-7809-8aeb-b819cf5e9e7f')],
  },
  { oid: 1007, kind: 'integer[]', samples: integers },
  { oid: 1009, kind: 'text[]', samples: textLists },
  { oid: 16999, kind: 'text[]', samples: textLists },
  {
    oid: 1000,
    kind: 'boolean[]',
    samples: [sample('{t,f}', [true, false], array(16, [2], [Buffer.from([1]), Buffer.from([0])]))],
  },
  {
    oid: 1016,
    kind: 'bigint[]',
    samples: [sample('{9007199254740993,-1}', [UNSAFE, -1n], array(20, [2], [i64(UNSAFE), i64(-1n)]))],
  },
  {
    oid: 1001,
    kind: 'bytes[]',
    samples: [sample('{"\\\\x00ff"}', [new Uint8Array([0, 255])], array(17, [1], [Buffer.from([0, 255])]))],
  },
  {
    oid: 1185,
    kind: 'epoch[]',
    samples: [sample('{"2024-03-10 12:34:56.789+00"}', [MOMENT], array(1184, [1], [micros(MOMENT)]))],
  },
  {
    oid: 1022,
    kind: 'float[]',
    samples: [sample('{0.5,NaN}', [0.5, Number.NaN], array(701, [2], [f64(0.5), f64(Number.NaN)]))],
  },
  { oid: 1020, kind: 'text[]', samples: [refused('{(1,1),(0,0)}')] },
];

/** A field's bytes: text unless binary was asked for. */
export function encoded({ text, binary }: Sample, format: number): Buffer {
  return format === 1 && binary !== undefined ? binary : text;
}

const meanings = new Map<string, Sample>();
const keyOf = (type: number, kind: string | undefined, format: number): string => `${type}:${kind ?? ''}:${format}:`;
for (const { oid: type, kind, samples } of COLUMN_TYPES) {
  for (const one of samples) {
    meanings.set(keyOf(type, kind, 0) + one.text.toString('latin1'), one);
    if (one.binary !== undefined) meanings.set(keyOf(type, kind, 1) + one.binary.toString('latin1'), one);
  }
}

/** What a field's bytes mean, where they are those of a sample. */
export function meaning(
  column: { readonly oid: number; readonly kind: string | undefined; readonly format: number },
  field: Buffer,
): Sample | undefined {
  return meanings.get(keyOf(column.oid, column.kind, column.format) + field.toString('latin1'));
}

/** Whether two values are one and the same. */
export function same(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (one instanceof Uint8Array && other instanceof Uint8Array) return Buffer.compare(one, other) === 0;
  if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
  return one.every((item, i) => same(item, other[i]));
}
