// A user's own type: any JavaScript value, kept in a column of any SQL type through two functions.
import type { ColumnType } from './column-type.ts';
import { checkText } from './text-types.ts';
import { refuseValue } from './value-error.ts';
import type { Scalar, WireKind } from './wire.ts';

export interface Codec<T, Db> {
  /** The SQL type: `numeric(12,2)`. */
  readonly sql: string;
  /** The form between `encode` and the driver; by default text. */
  readonly wire?: WireKind | undefined;
  encode(value: T): Db;
  decode(value: Db): T;
}

export interface CustomType<out T = unknown> extends ColumnType<T> {
  readonly name: 'custom';
  readonly sql: string;
}

let made = 0;

/** Each call makes a type of its own, even with an equal codec: functions cannot be compared. */
export function customColumnType<T, Db>(codec: Codec<T, Db>): CustomType<T> {
  made += 1;
  const { sql, wire = 'text' } = codec;
  return Object.freeze({
    name: 'custom',
    args: [],
    sql,
    wire,
    encode: (value: unknown): Scalar => {
      const encoded: unknown = codec.encode(value as T);
      if (wire === 'text') return checkText(encoded);
      return typeof encoded === 'object' && !(encoded instanceof Uint8Array) && !Array.isArray(encoded)
        ? refuseValue(`${wire} from the type's encode()`, encoded)
        : (encoded as Scalar);
    },
    decode: (value: Scalar): T => codec.decode(value as Db),
    compare: 'encoded',
    key: `custom ${made}`,
  });
}
