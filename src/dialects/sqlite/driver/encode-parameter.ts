// Wire form to what SQLite stores. Chosen once for each parameter of a prepared statement. An integer is bound as one:
// `node:sqlite` binds every JavaScript number as REAL, and then 5 / 2 is 2.5 and `typeof(?)` lies.
import type { Scalar, WireKind } from '../../../driver/driver.ts';
import { DataError, UnsupportedError } from '../../../errors/index.ts';
import { timestampText } from './timestamp-text.ts';

/** What `node:sqlite` binds. */
export type Bindable = null | number | bigint | string | Uint8Array;
export type Encode = (value: Scalar) => Bindable;

const INT64_LIMIT = 2n ** 63n;
/** Half of a pair alone: with `u`, halves of whole pairs do not match. */
const LONE_SURROGATE = /\p{Surrogate}/u;

const ENCODERS: Readonly<Record<string, Encode>> = {
  boolean: (value) => (typeof value === 'boolean' ? (value ? 1n : 0n) : mismatch('boolean', value)),
  integer: (value) => (Number.isSafeInteger(value) ? BigInt(value as number) : mismatch('integer', value)),
  bigint: (value) => (typeof value === 'bigint' ? int64(value) : mismatch('bigint', value)),
  float: (value) => (typeof value === 'number' ? float(value) : mismatch('float', value)),
  text: (value) => (typeof value === 'string' ? text(value) : mismatch('text', value)),
  bytes: (value) => (value instanceof Uint8Array ? value : mismatch('bytes', value)),
  epoch: (value) => (typeof value === 'number' ? timestampText(value) : mismatch('epoch', value)),
  json: (value) => (typeof value === 'string' ? text(value) : mismatch('json', value)),
};

/** The way from a wire form to SQLite. Without a kind the value itself decides; an array becomes the JSON text that `json_each` reads. */
export function parameterEncoder(kind: WireKind | undefined): Encode {
  const encode = kind === undefined ? byValue : kind.endsWith('[]') ? arrayOf(kind.slice(0, -2)) : ENCODERS[kind];
  if (encode === undefined) throw new UnsupportedError(`SQLite has no form for the kind "${kind}".`);
  return (value) => (value === null ? null : encode(value));
}

function byValue(value: Scalar): Bindable {
  switch (typeof value) {
    case 'number':
      // -0 has no integer form.
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? BigInt(value) : float(value);
    case 'bigint':
      return int64(value);
    case 'string':
      return text(value);
    case 'boolean':
      return value ? 1n : 0n;
    default:
      if (value instanceof Uint8Array) return value;
      throw new DataError(`SQLite has no form for ${described(value)}.`);
  }
}

function arrayOf(element: string): Encode {
  const encode = element === 'bytes' ? undefined : ENCODERS[element];
  if (encode === undefined) throw new UnsupportedError(`SQLite has no form for an array of ${element}.`);
  return (value) => {
    if (!Array.isArray(value)) return mismatch(`${element}[]`, value);
    const parts = value.map((one: Scalar) => (one === null ? 'null' : jsonOf(encode(one))));
    return `[${parts.join(',')}]`;
  };
}

function jsonOf(value: Bindable): string {
  if (value === Infinity || value === -Infinity) throw new DataError('An array cannot hold an infinite number.');
  return typeof value === 'bigint' ? value.toString() : JSON.stringify(value);
}

function int64(value: bigint): bigint {
  if (value >= INT64_LIMIT || value < -INT64_LIMIT) throw new DataError('A bigint does not fit into 64 bits.');
  return value;
}

function float(value: number): number {
  // SQLite turns NaN into NULL without a word.
  if (Number.isNaN(value)) throw new DataError('SQLite cannot store NaN.');
  return value;
}

function text(value: string): string {
  if (value.includes('\0')) throw new DataError('Text contains a NUL character, which SQL text cannot hold.');
  if (LONE_SURROGATE.test(value))
    throw new DataError('Text contains half of a surrogate pair, which UTF-8 cannot hold.');
  return value;
}

function mismatch(kind: string, value: Scalar): never {
  throw new DataError(`The wire form ${kind} does not take ${described(value)}.`);
}

/** Says the kind of a value, never the value. */
function described(value: unknown): string {
  if (value === undefined) return 'undefined';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return 'a number that is no safe integer';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
