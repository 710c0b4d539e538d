// What SQLite stored to wire form. SQLite's columns are hints, not types: what comes out is checked, and refused where
// giving the asked form would round, shift or guess.
import type { Scalar, WireKind } from '../../../driver/driver.ts';
import { DataError, UnsupportedError } from '../../../errors/index.ts';
import { readTimestamp } from './timestamp-text.ts';

/** A column's value in wire form, or `undefined` where the stored value has none in that kind. */
type Decode = (value: Scalar) => Scalar | undefined;

const DECODERS: Readonly<Record<string, Decode>> = {
  boolean: (value) => (value === 1 || value === 1n ? true : value === 0 || value === 0n ? false : undefined),
  integer: (value) => {
    const number = typeof value === 'bigint' ? Number(value) : value;
    return Number.isSafeInteger(number) ? number : undefined;
  },
  bigint: (value) => (typeof value === 'bigint' ? value : undefined),
  float: (value) => {
    if (typeof value === 'number') return value;
    return typeof value === 'bigint' && BigInt(Number(value)) === value ? Number(value) : undefined;
  },
  // A number under a text column is a sum or an average: its digits are exact.
  text: (value) => (typeof value === 'string' ? value : isNumeric(value) ? String(value) : undefined),
  bytes: (value) => (value instanceof Uint8Array ? value : undefined),
  epoch: (value) => (typeof value === 'string' ? readTimestamp(value) : undefined),
  json: (value) => (typeof value === 'string' ? value : isNumeric(value) ? String(value) : undefined),
};

/** Without a kind: as stored, integers as numbers as long as they are safe. */
const asStored: Decode = (value) =>
  typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value;

/** Declared types whose affinity rules out that an integer is stored where these kinds are asked for. */
const NO_INTEGERS: Readonly<Record<string, RegExp>> = {
  text: /CHAR|CLOB|TEXT/i,
  json: /CHAR|CLOB|TEXT/i,
  float: /REAL|FLOA|DOUB/i,
};

/** A result column as `node:sqlite` describes it; `column` is the table's column it comes straight from. */
export interface ColumnFacts {
  readonly column: string | null;
  readonly type: string | null;
}

/** Turns rows as `node:sqlite` returns them into wire form, in place. */
export interface RowDecoder {
  /** Whether the rows must be read with every integer as bigint. */
  readonly readBigInts: boolean;
  decode(row: Scalar[]): void;
}

/** Chosen once for each prepared statement. A column beyond `kinds` comes as it is stored. */
export function rowDecoder(columns: readonly ColumnFacts[], kinds: readonly (WireKind | undefined)[]): RowDecoder {
  const decoders = columns.map((_, index) => decoderOf(kinds[index]));
  return {
    readBigInts: columns.some((column, index) => mayHoldBigInt(column, kinds[index])),
    decode(row) {
      for (let index = 0; index < row.length; index++) {
        const value = row[index] ?? null;
        if (value === null) continue;
        const decoded = (decoders[index] ?? asStored)(value);
        if (decoded === undefined)
          throw unreadable(value, kinds[index], { index, column: columns[index]?.column ?? undefined });
        row[index] = decoded;
      }
    },
  };
}

function decoderOf(kind: WireKind | undefined): Decode {
  const decode = kind === undefined ? asStored : DECODERS[kind];
  if (decode === undefined) throw new UnsupportedError(`SQLite returns no ${kind}.`);
  return decode;
}

/** For the kinds that fit a JavaScript number, `node:sqlite` itself refuses a larger integer. */
function mayHoldBigInt(column: ColumnFacts, kind: WireKind | undefined): boolean {
  if (kind === undefined || kind === 'bigint') return true;
  const affinity = NO_INTEGERS[kind];
  return affinity !== undefined && !affinity.test(column.type ?? '');
}

function isNumeric(value: Scalar): boolean {
  return typeof value === 'number' || typeof value === 'bigint';
}

/** The name of a computed column is its SQL text, and that may hold values: it is counted instead. */
function unreadable(
  value: Scalar,
  kind: WireKind | undefined,
  { index, column }: { readonly index: number; readonly column: string | undefined },
): DataError {
  const stored = typeof value === 'string' ? 'text' : value instanceof Uint8Array ? 'bytes' : 'a number';
  const where = `Column ${index + 1} of the result${column === undefined ? '' : ` ("${column}")`}`;
  return new DataError(`${where} holds ${stored} that cannot be read as ${kind} without changing it.`, { column });
}
