// Which decoder a column gets: by the type the server says it has and the form the statement asks for. A pair that
// has no exact form gets a decoder that refuses every value but null.
import type { WireKind } from '../../../driver/driver.ts';
import { arrayOf } from './array-values.ts';
import { moment, textMoment } from './epoch-values.ts';
import * as numbers from './number-values.ts';
import { BOX_ARRAY, ELEMENT_OF, OID } from './oids.ts';
import { bool, bytes, text, textBool, textBytes, unsupported } from './plain-values.ts';
import type { ValueDecoder } from './value-decoder.ts';

/** How to read a type as text, and as binary where that is cheaper and as exact. */
type Choice = readonly [text: ValueDecoder, binary?: ValueDecoder];

const asText: Choice = [text];
const boolean: Choice = [textBool, bool];
const rawBytes: Choice = [textBytes, bytes];
const { textNumber, textInteger, textBigint } = numbers;

type ScalarKind = Exclude<WireKind, `${string}[]`>;

const smallIntegers: readonly (readonly [number, Choice])[] = [
  [OID.int2, [textNumber, numbers.int2]],
  [OID.int4, [textNumber, numbers.int4]],
  [OID.oid, [textNumber, numbers.oid4]],
];

/** What a column becomes when the statement does not say; every other type is text. */
const byDefault: ReadonlyMap<number, Choice> = new Map<number, Choice>([
  ...smallIntegers,
  [OID.bool, boolean],
  [OID.bytea, rawBytes],
  [OID.int8, [textBigint, numbers.int8]],
  // The text of a float4 is the shortest that means it; its binary form would show digits it does not have.
  [OID.float4, [textNumber]],
  [OID.float8, [textNumber, numbers.float8]],
]);

const byKind: Readonly<Record<Exclude<ScalarKind, 'text'>, ReadonlyMap<number, Choice>>> = {
  boolean: new Map([[OID.bool, boolean]]),
  integer: new Map<number, Choice>([
    ...smallIntegers,
    [OID.int8, [textInteger, numbers.int8Number]],
    [OID.numeric, [numbers.numericInteger]],
    [OID.float4, [textInteger]],
    [OID.float8, [textInteger]],
  ]),
  bigint: new Map<number, Choice>([
    [OID.int2, [textBigint, numbers.int2Bigint]],
    [OID.int4, [textBigint, numbers.int4Bigint]],
    [OID.oid, [textBigint, numbers.oid4Bigint]],
    [OID.int8, [textBigint, numbers.int8]],
    [OID.numeric, [numbers.numericBigint]],
    [OID.float4, [numbers.floatBigint]],
    [OID.float8, [numbers.floatBigint]],
  ]),
  float: new Map<number, Choice>([
    ...smallIntegers,
    [OID.int8, [textInteger, numbers.int8Number]],
    [OID.numeric, [numbers.numericFloat]],
    [OID.float4, [textNumber]],
    [OID.float8, [textNumber, numbers.float8]],
  ]),
  bytes: new Map([[OID.bytea, rawBytes]]),
  epoch: new Map<number, Choice>([[OID.timestamptz, [textMoment, moment]]]),
  json: new Map([OID.json, OID.jsonb, OID.text, OID.varchar, OID.bpchar].map((oid) => [oid, asText])),
};

function scalarChoice(type: number, kind: ScalarKind | undefined): Choice {
  if (kind === 'text') return asText;
  if (kind === undefined) return byDefault.get(type) ?? asText;
  return byKind[kind].get(type) ?? [unsupported(kind, type)];
}

function arrayChoice(type: number, kind: WireKind): Choice {
  const element = ELEMENT_OF.get(type);
  const elementKind = kind.slice(0, -2) as ScalarKind;
  // Arrays of user types are spelled as any other; their elements are text to us.
  if (element === undefined && (elementKind !== 'text' || type < 16384 || type === BOX_ARRAY))
    return [unsupported(kind, type)];
  const [inText, inBinary] = scalarChoice(element ?? OID.text, elementKind);
  return inBinary === undefined ? [arrayOf(inText)] : [arrayOf(inText), arrayOf(inBinary)];
}

/** The decoder for a column of `type` asked for as `kind`, in text, or in the cheapest format with `binary`. */
export function chooseDecoder(type: number, kind: WireKind | undefined, binary: boolean): ValueDecoder {
  const [inText, inBinary] =
    kind?.endsWith('[]') === true ? arrayChoice(type, kind) : scalarChoice(type, kind as ScalarKind | undefined);
  return binary && inBinary !== undefined ? inBinary : inText;
}
