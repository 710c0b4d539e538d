// true and false.
import type { ColumnType } from './column-type.ts';
import { refuseValue } from './value-error.ts';

export const BOOLEAN: ColumnType<boolean> = Object.freeze({
  name: 'boolean',
  args: [],
  wire: 'boolean',
  encode: (value: never) => (typeof value === 'boolean' ? value : refuseValue('a boolean', value)),
  decode: undefined,
  compare: 'identity',
  key: 'boolean',
});
