// The one door from JavaScript values to wire form: statements and flushes go through it, so that an error names the
// column it was for.
import { DataError } from '../errors/index.ts';
import { BIGINT, COUNT, DOUBLE } from './number-types.ts';
import { BOOLEAN } from './boolean-type.ts';
import { BYTES } from './bytes-type.ts';
import type { ColumnType } from './column-type.ts';
import { MOMENT } from './moment-types.ts';
import { TEXT } from './text-types.ts';
import { refuseValue } from './value-error.ts';
import type { Scalar } from './wire.ts';

/** What a value is for, as an error names it. */
export interface ValueTarget {
  readonly table?: string | undefined;
  readonly column: string;
}

/** `value` in the wire form of `type`. Throws `ATH_DATA`, naming the column if it is known. */
export function encodeValue(type: ColumnType, value: unknown, target?: ValueTarget): Scalar {
  if (value === null) return null;
  try {
    if (value === undefined) return refuseValue('a value', value);
    return type.encode === undefined ? (value as Scalar) : type.encode(value as never);
  } catch (error) {
    throw target === undefined ? error : named(error, target);
  }
}

function named(error: unknown, { table, column }: ValueTarget): unknown {
  if (!(error instanceof DataError) || error.column !== undefined) return error;
  const name = table === undefined ? column : `${table}.${column}`;
  return new DataError(`${name}: ${error.message}`, { table, column, outcome: 'not-sent' });
}

/** The type a value has by itself, where nothing else says one; `undefined` where it has none. */
export function typeOfValue(value: unknown): ColumnType | undefined {
  switch (typeof value) {
    case 'string':
      return TEXT;
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? COUNT : DOUBLE;
    case 'bigint':
      return BIGINT;
    case 'boolean':
      return BOOLEAN;
    default:
      if (value instanceof Date) return MOMENT;
      return value instanceof Uint8Array ? BYTES : undefined;
  }
}
