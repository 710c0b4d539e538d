// JavaScript values as parameters, by the rules of the `pg` package: dates carry their zone, arrays become array
// literals, other objects become JSON unless they know better.
import { UsageError } from '../errors/index.ts';

/** What goes to the driver. */
export type ParameterValue = string | Uint8Array | null;

const MAX_DEPTH = 100;

/** One parameter. */
export function parameterValue(value: unknown, depth = 0): ParameterValue {
  if (value === null || value === undefined) return null;
  // oxlint-disable-next-line typescript/no-base-to-string -- no object, though it may be a function
  if (typeof value !== 'object') return String(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof Date) return localTime(value);
  if (Array.isArray(value)) return arrayLiteral(value);
  if (!('toPostgres' in value) || typeof value.toPostgres !== 'function') return JSON.stringify(value);
  if (depth > MAX_DEPTH) throw new UsageError('A parameter refers to itself.', { outcome: 'not-sent' });
  return parameterValue(
    value.toPostgres((inner: unknown) => parameterValue(inner)),
    depth + 1,
  );
}

function arrayLiteral(values: readonly unknown[]): string {
  return `{${values.map(elementLiteral).join(',')}}`;
}

function elementLiteral(value: unknown): string {
  if (Array.isArray(value)) return arrayLiteral(value);
  const one = parameterValue(value);
  if (one === null) return 'NULL';
  if (typeof one === 'string') return `"${one.replace(/[\\"]/g, '\\$&')}"`;
  return `"\\\\x${Buffer.from(one.buffer, one.byteOffset, one.byteLength).toString('hex')}"`;
}

const digits = (value: number, length = 2): string => String(value).padStart(length, '0');

function localTime(date: Date): string {
  const year = date.getFullYear();
  const offset = -date.getTimezoneOffset();
  const day = `${digits(year < 1 ? 1 - year : year, 4)}-${digits(date.getMonth() + 1)}-${digits(date.getDate())}`;
  const time = `${digits(date.getHours())}:${digits(date.getMinutes())}:${digits(date.getSeconds())}.${digits(date.getMilliseconds(), 3)}`;
  const zone = `${offset < 0 ? '-' : '+'}${digits(Math.floor(Math.abs(offset) / 60))}:${digits(Math.abs(offset) % 60)}`;
  return `${day}T${time}${zone}${year < 1 ? ' BC' : ''}`;
}
