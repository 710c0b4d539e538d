// Bytes.
import type { ColumnType } from './column-type.ts';
import { refuseValue } from './value-error.ts';
import type { Scalar } from './wire.ts';

export const BYTES: ColumnType<Uint8Array> = Object.freeze({
  name: 'bytea',
  args: [],
  wire: 'bytes',
  encode: (value: unknown): Scalar => (value instanceof Uint8Array ? value : refuseValue('a Uint8Array', value)),
  decode: undefined,
  compare: 'bytes',
  key: 'bytea',
});
