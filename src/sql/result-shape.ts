// What the rows of a statement hold, for whoever turns them into objects or entities.
import type { ColumnType } from '../types/column-type.ts';
import type { FromColumn, FromElement } from './from.ts';

/** A single value at `index` of the row. */
export interface ValueItem {
  readonly kind: 'value';
  /** Its name in row objects. */
  readonly key: string;
  readonly index: number;
  /** `undefined`: as the driver gives it. */
  readonly type: ColumnType | undefined;
}

/** A whole entity in the columns from `start` on. */
export interface EntityItem {
  readonly kind: 'entity';
  readonly key: string;
  readonly start: number;
  readonly from: FromElement;
  readonly columns: readonly FromColumn[];
}

export interface ResultShape {
  /** Shape key of the statement: row makers are cached by it. */
  readonly key: string;
  readonly items: readonly (ValueItem | EntityItem)[];
}
