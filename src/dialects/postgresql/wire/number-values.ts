// Numbers: int2 to int8, oid, float4, float8 and numeric, in the three forms they can be asked for. Nothing is ever
// rounded on the way: a number that has no exact JavaScript form is refused.
import type { Frame } from './frame.ts';
import { violation } from './protocol.ts';
import { textDecoder, unfit, type ValueDecoder } from './value-decoder.ts';

const UNSAFE = 'the value is outside the integers a JavaScript number holds exactly';
const FRACTION = 'the value has a fraction, or is not a number, and an integer was asked for';
const INEXACT = 'the decimal value has no exact JavaScript number';

/** Refuses a binary value whose length is not its type's. */
export function wrongSize(length: number): never {
  return violation(`a value of ${length} bytes, which is not its type's size`);
}

const safe = (value: number): number =>
  Number.isSafeInteger(value) ? value : unfit(Number.isInteger(value) ? UNSAFE : FRACTION);

/** The digits of an integral decimal such as `12` or `12.00`. */
function integralDigits(text: string): string {
  const dot = text.indexOf('.');
  const digits = dot === -1 ? text : text.slice(0, dot);
  if (!/^-?\d+$/.test(digits) || (dot !== -1 && /[^0]/.test(text.slice(dot + 1)))) unfit(FRACTION);
  return digits;
}

/** A decimal's sign, digits and exponent, the same for every spelling of the same number. */
function canonicalDecimal(text: string): string {
  const match = /^(-?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i.exec(text);
  if (match === null) return text;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const trimmed = digits.replace(/0+$/, '');
  if (trimmed === '') return '0';
  return `${sign}${trimmed}e${Number(exponent) - fraction.length + (digits.length - trimmed.length)}`;
}

function exactFloat(text: string): number {
  const value = Number(text);
  if (!Number.isNaN(value) && Number.isFinite(value) && canonicalDecimal(text) !== canonicalDecimal(String(value)))
    unfit(INEXACT);
  if (!Number.isFinite(value) && !/^(NaN|-?Infinity)$/.test(text)) unfit(INEXACT);
  return value;
}

function readInt8Number(frame: Frame, at: number, length: number): number {
  if (length !== 8) wrongSize(length);
  return safe(frame.view.getInt32(at) * 4294967296 + frame.view.getUint32(at + 4));
}

function readFloat8(frame: Frame, at: number, length: number): number {
  return length === 8 ? frame.view.getFloat64(at) : wrongSize(length);
}

/** From the text of any integer or float type. */
export const textNumber: ValueDecoder = textDecoder('tn', Number);
export const textInteger: ValueDecoder = textDecoder('ti', (text) => safe(Number(text)));
export const textBigint: ValueDecoder = textDecoder('tb', BigInt);
export const floatBigint: ValueDecoder = textDecoder('fb', (text) => BigInt(safe(Number(text))));
export const numericInteger: ValueDecoder = textDecoder('ni', (text) => safe(Number(integralDigits(text))));
export const numericBigint: ValueDecoder = textDecoder('nb', (text) => BigInt(integralDigits(text)));
export const numericFloat: ValueDecoder = textDecoder('nf', exactFloat);

export const int2: ValueDecoder = {
  key: 'i2',
  binary: true,
  code: '(length === 2 ? view.getInt16(at) : wrongSize(length))',
  read: (frame, at, length) => (length === 2 ? frame.view.getInt16(at) : wrongSize(length)),
};
export const int4: ValueDecoder = {
  key: 'i4',
  binary: true,
  code: '(length === 4 ? view.getInt32(at) : wrongSize(length))',
  read: (frame, at, length) => (length === 4 ? frame.view.getInt32(at) : wrongSize(length)),
};
export const oid4: ValueDecoder = {
  key: 'o4',
  binary: true,
  read: (frame, at, length) => (length === 4 ? frame.view.getUint32(at) : wrongSize(length)),
};
export const int8: ValueDecoder = {
  key: 'i8',
  binary: true,
  code: '(length === 8 ? view.getBigInt64(at) : wrongSize(length))',
  read: (frame, at, length) => (length === 8 ? frame.view.getBigInt64(at) : wrongSize(length)),
};
export const int8Number: ValueDecoder = { key: 'i8n', binary: true, read: readInt8Number };
export const int2Bigint: ValueDecoder = {
  key: 'i2b',
  binary: true,
  read: (frame, at, length) => BigInt(int2.read(frame, at, length) as number),
};
export const int4Bigint: ValueDecoder = {
  key: 'i4b',
  binary: true,
  read: (frame, at, length) => BigInt(int4.read(frame, at, length) as number),
};
export const oid4Bigint: ValueDecoder = {
  key: 'o4b',
  binary: true,
  read: (frame, at, length) => BigInt(oid4.read(frame, at, length) as number),
};
export const float8: ValueDecoder = {
  key: 'f8',
  binary: true,
  code: '(length === 8 ? view.getFloat64(at) : wrongSize(length))',
  read: readFloat8,
};
