// A moment in time: a Date to the millisecond, or a string that keeps the server's microseconds.
import type { ColumnType } from './column-type.ts';
import { checkText } from './text-types.ts';
import { refuseValue } from './value-error.ts';
import type { Scalar } from './wire.ts';

/** `timestamptz(3)`: what a Date holds, and no more. */
export const MOMENT: ColumnType<Date> = Object.freeze({
  name: 'timestamptz',
  args: [3],
  wire: 'epoch',
  encode: (value: unknown): Scalar =>
    value instanceof Date && !Number.isNaN(value.getTime()) ? value.getTime() : refuseValue('a valid Date', value),
  decode: (value: Scalar): Date => new Date(value as number),
  compare: 'time',
  key: 'timestamptz',
}) as ColumnType<Date>;

/** All six digits, as the server writes them. */
export const MOMENT_AS_STRING: ColumnType<string> = Object.freeze({
  name: 'timestamptz',
  args: [],
  wire: 'text',
  encode: (value: never): Scalar => checkText(value),
  decode: undefined,
  compare: 'identity',
  key: 'timestamptz-string',
});
