// The words a table is declared with: one function for each kind of column.
import { arrayType } from '../types/array-type.ts';
import { BOOLEAN } from '../types/boolean-type.ts';
import { BYTES } from '../types/bytes-type.ts';
import type { ColumnType } from '../types/column-type.ts';
import { customColumnType, type Codec } from '../types/custom-type.ts';
import { JSON_TYPE } from '../types/json-type.ts';
import { MOMENT, MOMENT_AS_STRING } from '../types/moment-types.ts';
import { type BigintMode, bigintType, DOUBLE, INTEGER, numericType } from '../types/number-types.ts';
import { enumType, TEXT, UUID_TYPE, varcharType } from '../types/text-types.ts';
import { MappingError } from '../errors/index.ts';
import { TYPE } from '../sql/phantom.ts';
import type { Col, Derived, FkCol, Flag, ReferenceOptions } from './col.ts';
import { ColumnDefinition, DerivedDefinition, reference } from './column-definition.ts';

function column<T>(type: ColumnType): Col<T> {
  return new ColumnDefinition({ type }) as unknown as Col<T>;
}

/** What each mode of `bigint()` gives. */
export interface BigintModes {
  bigint: bigint;
  number: number;
  string: string;
}
/** What each form of `timestamptz()` gives. */
export interface MomentForms {
  date: Date;
  string: string;
}

/** A whole number of 32 bits. */
export function integer(): Col<number> {
  return column(INTEGER);
}
/** A whole number of 64 bits: a `bigint`, or on request a `number` that is checked to be safe, or digits. */
export function bigint<M extends BigintMode = 'bigint'>(options?: { readonly mode?: M }): Col<BigintModes[M]> {
  return column(bigintType(options?.mode ?? 'bigint'));
}
export function text(): Col<string> {
  return column(TEXT);
}
/** Text of at most `length` characters. */
export function varchar(length: number): Col<string> {
  checkCount('varchar', length, 1);
  return column(varcharType(length));
}
export function boolean(): Col<boolean> {
  return column(BOOLEAN);
}
/** An exact decimal, as a string of digits. */
export function numeric(precision?: number, scale?: number): Col<string> {
  if (precision !== undefined) checkCount('numeric', precision, 1);
  if (scale !== undefined) checkCount('numeric', scale, 0);
  return column(numericType(precision, scale));
}
/** A floating point number: JavaScript's own. */
export function double(): Col<number> {
  return column(DOUBLE);
}
/** A moment: a `Date` to the millisecond, or on request a string with all digits the server keeps. */
export function timestamptz<F extends keyof MomentForms = 'date'>(options?: { readonly as?: F }): Col<MomentForms[F]> {
  return column(options?.as === 'string' ? MOMENT_AS_STRING : MOMENT);
}
export function uuid(): Col<string> {
  return column(UUID_TYPE);
}
/** Any JSON value. What is read is frozen: assign a new value to change it. */
export function json<T>(): Col<T> {
  return column(JSON_TYPE);
}
export function bytea(): Col<Uint8Array> {
  return column(BYTES);
}
/** One of a few words; `name` is the type's name in databases that have enum types. */
export function enumOf<const V extends readonly string[]>(name: string, values: V): Col<V[number]> {
  if (values.length === 0 || new Set(values).size !== values.length) {
    throw new MappingError(`The enum ${name} needs values, each once.`);
  }
  return column(enumType(name, values));
}
/** An array of another column's type. */
export function array<T, F extends Flag>(of: Col<T, F>): Col<T[]> {
  return column(arrayType(of[TYPE]));
}
/** A type of your own: how it is called in SQL, and how its values are written and read. */
export function customType<T, Db>(codec: Codec<T, Db>): () => Col<T> {
  const type = customColumnType(codec);
  return () => column(type);
}

/** A column that holds another table's key, and has that key's type. */
// oxlint-disable-next-line typescript/no-unsafe-function-type -- a call signature would resolve the target at once
export function fk<F extends Function>(target: F, opts: ReferenceOptions = {}): FkCol<F, 'fk'> {
  return new ColumnDefinition({ references: reference(target, opts) }) as unknown as FkCol<F, 'fk'>;
}

/** A read-only field computed by a (correlated) SQL expression. Explicit type: it may use any other entity. */
// oxlint-disable-next-line typescript/no-unsafe-function-type -- as above
export function derived<T>(expr: Function): Derived<T> {
  return new DerivedDefinition(expr) as unknown as Derived<T>;
}

function checkCount(what: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) throw new MappingError(`${what}() takes whole numbers.`);
}
