// Parameters as text: right for every type the server may give them, so a statement's first run needs no question
// about its types. Arrays are spelled as PostgreSQL's array literals.
import type { Scalar, WireKind } from '../../../driver/driver.ts';
import { DataError } from '../../../errors/index.ts';
import { momentText } from './epoch-values.ts';

const SAFE_ONLY: ReadonlySet<WireKind | undefined> = new Set<WireKind>(['integer', 'bigint']);

/** The kind of an array's elements. */
export function elementKind(kind: WireKind | undefined): WireKind | undefined {
  return kind?.endsWith('[]') === true ? (kind.slice(0, -2) as WireKind) : kind;
}

function numberText(value: number, kind: WireKind | undefined): string {
  if (kind === 'epoch') {
    const text = momentText(value);
    if (text === undefined) throw new DataError(`is no moment in whole milliseconds: ${value}`);
    return text;
  }
  if (SAFE_ONLY.has(kind) && !Number.isSafeInteger(value)) throw new DataError('is a number that is no exact integer');
  return Object.is(value, -0) ? '-0' : String(value);
}

/** `value` as PostgreSQL reads it. Never called with null. */
export function parameterText(value: NonNullable<Scalar>, kind: WireKind | undefined): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return numberText(value, kind);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'bigint':
      return value.toString();
    default:
      if (value instanceof Uint8Array)
        return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`;
      if (Array.isArray(value)) return arrayText(value, elementKind(kind));
      throw new DataError(`is no value that can be sent: ${describe(value)}`);
  }
}

function describe(value: unknown): string {
  return value === undefined ? 'undefined' : `a ${typeof value}`;
}

function elementText(value: Scalar, kind: WireKind | undefined): string {
  if (value === null) return 'NULL';
  const text = parameterText(value, kind);
  const bare =
    typeof value === 'number'
      ? kind !== 'epoch'
      : typeof value === 'boolean' || typeof value === 'bigint' || Array.isArray(value);
  return bare ? text : `"${text.replace(/[\\"]/g, '\\$&')}"`;
}

function arrayText(values: readonly Scalar[], kind: WireKind | undefined): string {
  return `{${values.map((value) => elementText(value, kind)).join(',')}}`;
}
