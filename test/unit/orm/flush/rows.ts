// Tables and rows for tests of the plan, without a model: just what the plan looks at.
import {
  KeyRef,
  type Cell,
  type PlanForeignKey,
  type PlanMapper,
  type RowChange,
  ShapeCache,
} from '../../../../src/orm/flush/row-change.ts';
import type { TableColumn, TableElement } from '../../../../src/sql/from.ts';
import { INTEGER } from '../../../../src/types/number-types.ts';

export interface TestTable extends PlanMapper {
  readonly foreignKeys: PlanForeignKey[];
  readonly column: (name: string) => TableColumn;
}

let made = 0;

/** A table with an `id` and the columns given; a trailing `?` makes one nullable. */
export function testTable(name: string, columns: readonly string[]): TestTable {
  const all = ['id', ...columns].map((spec): TableColumn => {
    const key = spec.replace('?', '');
    return { name: key, key, type: INTEGER, nullable: spec.endsWith('?'), primaryKey: key === 'id' };
  });
  const table: TableElement = {
    kind: 'table',
    name,
    key: `${name}#${++made}`,
    schema: undefined,
    columns: all,
    foreignKeys: [],
  };
  const column = (key: string): TableColumn => {
    const found = all.find((one) => one.key === key);
    if (found === undefined) throw new RangeError(key);
    return found;
  };
  return { table, primaryKey: [column('id')], foreignKeys: [], column };
}

export function refer(from: TestTable, column: string, to: TestTable): void {
  from.foreignKeys.push({ columns: [from.column(column)], target: to.table, targetColumns: to.primaryKey });
}

const shapes = new ShapeCache();

/** A new row; without an `id` the database makes it. */
export function inserted(mapper: TestTable, values: Readonly<Record<string, Cell>>): RowChange {
  const set = Object.keys(values).map(mapper.column);
  const returning = 'id' in values ? [] : mapper.primaryKey;
  const shape = shapes.intern({ table: mapper.table, action: 'insert', set, match: [], guard: [], returning });
  return { mapper, shape, values: Object.values(values), stored: undefined, source: undefined };
}

export function updated(mapper: TestTable, id: number, values: Readonly<Record<string, Cell>>): RowChange {
  const set = Object.keys(values).map(mapper.column);
  const shape = shapes.intern({
    table: mapper.table,
    action: 'update',
    set,
    match: mapper.primaryKey,
    guard: [],
    returning: [],
  });
  return { mapper, shape, values: [...Object.values(values), id], stored: undefined, source: undefined };
}

export function deleted(
  mapper: TestTable,
  stored: Readonly<Record<string, number | null>> & { readonly id: number },
): RowChange {
  const shape = shapes.intern({
    table: mapper.table,
    action: 'delete',
    set: [],
    match: mapper.primaryKey,
    guard: [],
    returning: [],
  });
  const row = mapper.table.columns.map((column) => stored[column.name] ?? null);
  return { mapper, shape, values: [stored.id], stored: row, source: undefined };
}

export function keyOf(row: RowChange): KeyRef {
  return new KeyRef(row, (row.mapper as TestTable).column('id'));
}
