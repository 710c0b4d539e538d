// Numbers. What JavaScript's number cannot hold exactly is a bigint or a decimal string, and what a column cannot hold
// is refused here rather than rounded there.
import type { ColumnType } from './column-type.ts';
import { refuseValue } from './value-error.ts';
import type { Scalar } from './wire.ts';

const INT32 = 2 ** 31;
const INT64 = 2n ** 63n;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const WHOLE = /^-?\d+$/;

/** 32 bits. */
export const INTEGER: ColumnType<number> = Object.freeze({
  name: 'integer',
  args: [],
  wire: 'integer',
  encode: (value: never): Scalar =>
    Number.isInteger(value) && value >= -INT32 && value < INT32 ? value : refuseValue('a 32-bit integer', value),
  decode: undefined,
  compare: 'identity',
  key: 'integer',
});

/** What `count` and sums of integers give: 64 bits on the server, a safe integer here, or an error. */
export const COUNT: ColumnType<number> = Object.freeze({
  name: 'bigint',
  args: [],
  wire: 'integer',
  encode: (value: never): Scalar => (Number.isSafeInteger(value) ? value : refuseValue('a safe integer', value)),
  decode: undefined,
  compare: 'identity',
  key: 'count',
});

export const DOUBLE: ColumnType<number> = Object.freeze({
  name: 'double',
  args: [],
  wire: 'float',
  encode: (value: never): Scalar => (typeof value === 'number' ? value : refuseValue('a number', value)),
  decode: undefined,
  compare: 'identity',
  key: 'double',
});

export const BIGINT: ColumnType<bigint> = Object.freeze({
  name: 'bigint',
  args: [],
  wire: 'bigint',
  encode: (value: never): Scalar =>
    typeof value === 'bigint' && value >= -INT64 && value < INT64 ? value : refuseValue('a 64-bit bigint', value),
  decode: undefined,
  compare: 'identity',
  key: 'bigint',
});

const BIGINT_AS_STRING: ColumnType<string> = Object.freeze({
  name: 'bigint',
  args: [],
  wire: 'text',
  encode: (value: never): Scalar =>
    typeof value === 'string' && WHOLE.test(value) ? value : refuseValue('a whole number in digits', value),
  decode: undefined,
  compare: 'identity',
  key: 'bigint-string',
});

export type BigintMode = 'bigint' | 'number' | 'string';

/** 64 bits as bigint, as a number that must be safe, or as digits. */
export function bigintType(mode: BigintMode): ColumnType {
  return mode === 'bigint' ? BIGINT : mode === 'number' ? COUNT : BIGINT_AS_STRING;
}

/** Digits behind the point that count: the server would round them away. Below zero for whole tens. */
function fraction(decimal: string): number {
  const [digits = '', exponent = '0'] = decimal.toLowerCase().split('e');
  const point = digits.indexOf('.');
  const cut = point === -1 ? digits : digits.replace(/0+$/, '');
  return (point === -1 ? 0 : cut.length - 1 - point) - Number(exponent);
}

/** Exact decimals, as strings. */
export function numericType(precision?: number, scale?: number): ColumnType<string> {
  const args = precision === undefined ? [] : scale === undefined ? [precision] : [precision, scale];
  // A precision alone means whole numbers.
  const limit = precision === undefined ? undefined : (scale ?? 0);
  return Object.freeze({
    name: 'numeric',
    args,
    wire: 'text',
    encode: (value: never): Scalar =>
      typeof value !== 'string' || !(DECIMAL.test(value) || value === 'NaN')
        ? refuseValue('a decimal number in a string', value)
        : limit !== undefined && fraction(value) > limit
          ? refuseValue(`a decimal number with at most ${limit} digits behind the point`, value)
          : value,
    decode: undefined,
    compare: 'identity',
    key: `numeric(${args.join()})`,
  });
}

/** Numeric without limits, as sums and averages are. */
export const NUMERIC: ColumnType<string> = numericType();
