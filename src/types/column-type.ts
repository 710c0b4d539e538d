// A column type says how a value looks in JavaScript, in which wire form it travels, and what SQL calls it. It knows
// no dialect: the database's word for it is the DDL compiler's, the bytes are the driver's.
import type { Scalar, WireKind } from './wire.ts';

/** How a flush tells whether a value was changed since its row was read. */
export type Comparison =
  /** `!==` on the value itself. */
  | 'identity'
  /** A Date: by its time, for it can be changed in place. */
  | 'time'
  /** Frozen on load; a new object is compared by its JSON text. */
  | 'json'
  /** Byte for byte against a copy. */
  | 'bytes'
  /** `encode(value)` against the baseline: custom types. */
  | 'encoded';

export interface ColumnType<out T = unknown> {
  /** The generic name a dialect maps to its own: `integer`, `text`, `timestamptz`, `enum`, `custom`... */
  readonly name: string;
  /** Length, precision, enum values: whatever the SQL name takes. */
  readonly args: readonly (string | number)[];
  /** The wire form it travels in. */
  readonly wire: WireKind;
  /** JavaScript value to wire form; absent where they are the same. `null` never gets here. Throws `DataError` on a value that is not of this type. */
  readonly encode: ((value: never) => Scalar) | undefined;
  /** Wire form to JavaScript value; absent where they are the same. */
  readonly decode: ((value: Scalar) => T) | undefined;
  readonly compare: Comparison;
  /** Distinguishes types in a statement's shape key. */
  readonly key: string;
}
