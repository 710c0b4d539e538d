// Text, and what travels as text with its own form. Text the server could only store changed is refused before it is
// sent: a NUL character ends a PostgreSQL string, and half a surrogate pair becomes a question mark.
import type { ColumnType } from './column-type.ts';
import { refuseValue } from './value-error.ts';
import type { Scalar } from './wire.ts';

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** Checks what every text must hold to. */
export function checkText(value: unknown): string {
  if (typeof value !== 'string') return refuseValue('a string', value);
  if (value.includes('\0')) return refuseValue('text without NUL characters', value);
  if (!value.isWellFormed()) return refuseValue('text without lone surrogates', value);
  return value;
}

export const TEXT: ColumnType<string> = Object.freeze({
  name: 'text',
  args: [],
  wire: 'text',
  encode: (value: never): Scalar => checkText(value),
  decode: undefined,
  compare: 'identity',
  key: 'text',
});

/** `length` is in characters. */
export function varcharType(length: number): ColumnType<string> {
  return Object.freeze({ ...TEXT, name: 'varchar', args: [length], key: `varchar(${length})` });
}

export const UUID_TYPE: ColumnType<string> = Object.freeze({
  name: 'uuid',
  args: [],
  wire: 'text',
  // Servers give it back in lower case: written so, it compares equal to what was read.
  encode: (value: never): Scalar =>
    typeof value === 'string' && UUID.test(value)
      ? (value as string).toLowerCase()
      : refuseValue('a UUID in a string', value),
  decode: undefined,
  compare: 'encoded',
  key: 'uuid',
});

export interface EnumType<out V extends string = string> extends ColumnType<V> {
  readonly name: 'enum';
  /** The name of the type in the database. */
  readonly typeName: string;
  readonly values: readonly V[];
}

/** One of a few words. `typeName` is its name in databases that have such types. */
export function enumType<V extends string>(typeName: string, values: readonly V[]): EnumType<V> {
  const allowed: ReadonlySet<string> = new Set(values);
  return Object.freeze({
    name: 'enum',
    args: values,
    wire: 'text',
    typeName,
    values,
    encode: (value: never): Scalar =>
      allowed.has(value) ? value : refuseValue(`one of ${values.map((one) => `'${one}'`).join(', ')}`, value),
    decode: undefined,
    compare: 'identity',
    key: `enum ${JSON.stringify([typeName, ...values])}`,
  });
}
