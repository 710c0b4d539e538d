// What a flush has to write, row by row, as plain data: the input of the plan. Values are in wire form and already in
// the order the bulk statements want them, so that planning a row costs no copying.
import type { BulkConstant } from '../../sql/bulk.ts';
import type { TableColumn, TableElement } from '../../sql/from.ts';
import type { Scalar } from '../../types/wire.ts';
import type { ExpressionSource } from './expression-source.ts';

/** A foreign key as the plan needs it: which columns point where. */
export interface PlanForeignKey {
  readonly columns: readonly TableColumn[];
  readonly target: TableElement;
  readonly targetColumns: readonly TableColumn[];
}

/** What the plan knows of a mapped table. */
export interface PlanMapper {
  readonly table: TableElement;
  readonly primaryKey: readonly TableColumn[];
  readonly foreignKeys: readonly PlanForeignKey[];
}

export type RowAction = 'insert' | 'update' | 'delete';

/** Rows with one shape object can share a statement. Shapes are interned: equal ones are the same object. */
export interface RowShape {
  readonly action: RowAction;
  readonly table: TableElement;
  /** Injective over shapes. */
  readonly key: string;
  readonly set: readonly TableColumn[];
  /** The key columns in WHERE. Empty for an insert. */
  readonly match: readonly TableColumn[];
  /** Columns that must still hold what was read. */
  readonly guard: readonly TableColumn[];
  readonly returning: readonly TableColumn[];
  /** Columns that every row gets from one expression of the model (`onUpdate`). */
  readonly constants?: readonly BulkConstant[] | undefined;
}

/** A value another row of the same flush brings: part of a key that the database makes. */
export class KeyRef {
  readonly row: RowChange;
  readonly column: TableColumn;
  constructor(row: RowChange, column: TableColumn) {
    this.row = row;
    this.column = column;
  }
}

export type Cell = Scalar | KeyRef;

export interface RowChange {
  readonly mapper: PlanMapper;
  readonly shape: RowShape;
  /** The values of `shape.set`, then `match`, then `guard`. */
  readonly values: readonly Cell[];
  /** The row as last read, in the order of the table's columns; `undefined` for a new row. */
  readonly stored: readonly (Scalar | undefined)[] | undefined;
  /** Columns whose new value the server computes. Such a row has a statement of its own. */
  readonly expressions?: ReadonlyMap<TableColumn, ExpressionSource> | undefined;
  /** Whose change it is, for whoever runs the plan. */
  readonly source: object | undefined;
  /** Where its foreign keys were taken from, by the first column of each; opaque to the plan. */
  readonly sources?: ReadonlyMap<number, object> | undefined;
}

/** A row others can refer to before it is known what is in it. Made whole, so that all rows are alike. */
export function openRow(): { -readonly [K in keyof RowChange]-?: RowChange[K] } {
  return {
    mapper: undefined as never,
    shape: undefined as never,
    values: [],
    stored: undefined,
    expressions: undefined,
    source: undefined,
    sources: undefined,
  };
}

/** Makes shapes, each once. */
export class ShapeCache {
  readonly #shapes = new Map<string, RowShape>();
  intern(shape: Omit<RowShape, 'key'>, extra = ''): RowShape {
    const key = shapeKey(shape, extra);
    const known = this.#shapes.get(key);
    if (known !== undefined) return known;
    const made: RowShape = Object.freeze({ ...shape, key });
    this.#shapes.set(key, made);
    return made;
  }
}

function shapeKey(shape: Omit<RowShape, 'key'>, extra: string): string {
  const names = (columns: readonly TableColumn[]): string[] => columns.map((column) => column.name);
  return JSON.stringify([
    shape.action,
    names(shape.set),
    names(shape.match),
    names(shape.guard),
    names(shape.returning),
    (shape.constants ?? []).map(({ column, value }) => [column.name, value.key]),
    shape.table.key,
    extra,
  ]);
}
