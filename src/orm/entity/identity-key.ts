// The identity of a row as something a Map can find. A single-column key is its own value; a composite one becomes a
// text that no other key of the same columns can become.
import type { Scalar } from '../../types/wire.ts';

/** What an identity map is keyed by. */
export type IdentityKey = string | number | bigint | boolean;

/** The key made of these wire values, or `undefined` where one of them is NULL. */
export function identityKey(values: readonly Scalar[]): IdentityKey | undefined {
  if (values.length === 1) return single(values[0] as Scalar);
  let joined = '';
  for (const value of values) {
    if (value === null || value === undefined) return undefined;
    const part = typeof value === 'object' ? text(value) : String(value);
    // The length in front makes the borders unmistakable, whatever the parts hold.
    joined += `${part.length}:${part}`;
  }
  return joined;
}

/** The key of a row whose key columns stand at `indexes`. */
export function identityKeyAt(
  row: readonly Scalar[],
  start: number,
  indexes: readonly number[],
): IdentityKey | undefined {
  if (indexes.length === 1) return single(row[start + (indexes[0] as number)] as Scalar);
  return identityKey(indexes.map((index) => row[start + index] as Scalar));
}

function single(value: Scalar | undefined): IdentityKey | undefined {
  if (value === null || value === undefined) return undefined;
  return typeof value === 'object' ? text(value) : value;
}

function text(value: Uint8Array | readonly Scalar[]): string {
  if (value instanceof Uint8Array) {
    let hex = '';
    for (const byte of value) hex += byte.toString(16).padStart(2, '0');
    return hex;
  }
  return value
    .map((item) => (item === null ? 'n' : `${String(identityKey([item])).length}:${identityKey([item])}`))
    .join('');
}
