// The one way a value is refused by its type: naming what it is, never the value itself, which may be a secret.
import { DataError } from '../errors/index.ts';

/** What a value is, in a few words that do not quote it. */
export function described(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid Date' : 'a Date';
  if (value instanceof Uint8Array) return 'bytes';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'number') {
    if (Number.isNaN(value)) return 'NaN';
    return Number.isSafeInteger(value) ? 'an integer' : 'a number that is no safe integer';
  }
  return `a ${typeof value}`;
}

/** Throws `ATH_DATA`: `wanted` is what the type takes. */
export function refuseValue(wanted: string, value: unknown): never {
  throw new DataError(`Expected ${wanted}, got ${described(value)}.`, { outcome: 'not-sent' });
}
