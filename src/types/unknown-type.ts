// Stands in for the type of a column nobody knows: of a subquery that selects raw SQL. Expressions over it have none.
import type { ColumnType } from './column-type.ts';

export const UNKNOWN: ColumnType = Object.freeze({
  name: 'unknown',
  args: [],
  wire: 'text',
  encode: undefined,
  decode: undefined,
  compare: 'identity',
  key: 'unknown',
});
