// Rows of a table as a bulk stream, checked column by column on their way out and decoded on their way in.
import type { CopySql, Dialect } from '../../dialect/dialect.ts';
import { UnsupportedError, UsageError } from '../../errors/index.ts';
import type { TableColumn, TableElement } from '../../sql/from.ts';
import { objectRows } from '../../sql/row-maker.ts';
import { columnScalar, defaultValue, tableOf, writableColumn } from '../../sql/statements/write.ts';
import type { Scalar } from '../../types/wire.ts';

/** Rows to write: an object a row, by property names. */
export type CopyRows = Iterable<object> | AsyncIterable<object>;

/** Bytes of one piece of the stream. */
const PIECE = 64 * 1024;

/** Throws `ATH_UNSUPPORTED` where the database has no bulk stream. */
export function copySql(dialect: Dialect): CopySql {
  if (dialect.copy === undefined) throw new UnsupportedError('This database has no COPY.');
  return dialect.copy;
}

/** Throws `ATH_USAGE` for a column the table has not. */
export function copyColumns(target: unknown, names: readonly string[] | undefined): readonly TableColumn[] {
  const table = tableOf(target);
  if (names === undefined) return table.columns;
  const known = new Map(table.columns.map((column) => [column.key, column]));
  return names.map((name) => {
    const column = known.get(name);
    if (column === undefined) throw new UsageError(`The table ${table.name} has no column "${name}".`);
    return column;
  });
}

/** The first row says which columns there are; every other must have the same. */
export class CopyEncoder {
  readonly #table: TableElement;
  readonly #rows: AsyncIterator<object> | Iterator<object>;
  readonly #names: readonly string[] | undefined;
  #first: IteratorResult<object> | undefined;
  #columns: readonly TableColumn[] = [];
  #defaults: readonly TableColumn[] = [];

  constructor(target: unknown, rows: CopyRows, names: readonly string[] | undefined) {
    this.#table = tableOf(target);
    this.#names = names;
    this.#rows = Symbol.asyncIterator in rows ? rows[Symbol.asyncIterator]() : rows[Symbol.iterator]();
  }

  /** The columns that are sent; empty where there is no row at all. Reads the first row. */
  async columns(): Promise<readonly TableColumn[]> {
    this.#first = await this.#rows.next();
    if (this.#first.done === true) return [];
    const given = this.#names ?? givenKeys(this.#first.value);
    const named = given.map((key) => writableColumn(this.#table, key));
    this.#defaults = this.#table.columns
      .filter(({ default: fill }) => fill !== undefined && fill.kind !== 'expression')
      .filter((column) => !named.includes(column));
    this.#columns = [...named, ...this.#defaults];
    return this.#columns;
  }

  /** The stream, in pieces. Throws `ATH_USAGE` or `ATH_DATA` naming the row and the column. */
  async *pieces(encode: (row: readonly Scalar[]) => string): AsyncGenerator<Uint8Array, void, undefined> {
    let text = '';
    let number = 0;
    let ended = false;
    try {
      for (let next = this.#first; next !== undefined && next.done !== true; next = await this.#rows.next()) {
        text += encode(this.#scalars(next.value, number));
        number += 1;
        if (text.length < PIECE) continue;
        yield Buffer.from(text);
        text = '';
      }
      ended = true;
      if (text !== '') yield Buffer.from(text);
    } finally {
      if (!ended) await this.#rows.return?.();
    }
  }

  #scalars(row: object, number: number): Scalar[] {
    const values = row as Readonly<Record<string, unknown>>;
    if (typeof row !== 'object' || row === null) throw new UsageError(`Row ${number} is no object.`);
    const count = this.#columns.length - this.#defaults.length;
    const extra = Object.keys(values).length > count ? this.#unknown(values) : undefined;
    if (extra !== undefined) throw new UsageError(`Row ${number} has a column "${extra}" that the first has not.`);
    return this.#columns.map((column, index) => {
      if (index >= count) return columnScalar(this.#table, column, filledIn(column));
      const value = values[column.key];
      if (value !== undefined) return columnScalar(this.#table, column, value);
      throw new UsageError(`Row ${number} has no value for ${this.#table.name}.${column.name}.`, {
        hint: 'All rows must have the columns of the first; null is a value.',
      });
    });
  }

  #unknown(values: Readonly<Record<string, unknown>>): string | undefined {
    if (this.#names !== undefined) return undefined;
    return Object.keys(values).find(
      (key) => values[key] !== undefined && !this.#columns.some((column) => column.key === key),
    );
  }
}

function givenKeys(row: object): readonly string[] {
  return Object.entries(row).flatMap(([key, value]) => (value === undefined ? [] : [key]));
}

function filledIn({ default: given }: TableColumn): unknown {
  return given === undefined ? null : defaultValue(given);
}

/** Makes row objects of scalars in the order of the columns. */
export function copyRowMaker(columns: readonly TableColumn[]): (row: readonly Scalar[]) => object {
  const items = columns.map(({ key, type }, index) => ({ kind: 'value' as const, key, index, type }));
  return objectRows(Object.freeze({ key: '', items }));
}
