// Rows of a statement as a session gives them: values decoded, entities looked up or made.
import type { RowForm } from '../../engine/result.ts';
import type { EntityItem, ResultShape, ValueItem } from '../../sql/result-shape.ts';
import { objectRows, type RowMaker, scalarRows, tupleRows } from '../../sql/row-maker.ts';
import type { Scalar } from '../../types/wire.ts';
import { mapperOfTable } from '../mapping/mapper.ts';
import { EntityReader, type ReadOptions } from './entity-reader.ts';
import type { Frame } from './frame.ts';
import type { UnitOfWork } from './unit-of-work.ts';

const MAKERS: { readonly [F in RowForm]: (shape: ResultShape) => RowMaker } = {
  objects: objectRows,
  tuples: tupleRows,
  scalars: scalarRows,
};

type Read = (row: Scalar[]) => unknown;

export interface RowReaders {
  /** By the element the entities were selected from. */
  readonly readers: ReadonlyMap<EntityItem, EntityReader>;
  readonly rows: (given: readonly Scalar[][], form: RowForm) => unknown[];
}

export function rowReaders(
  shape: ResultShape,
  unit: UnitOfWork,
  options: ReadOptions & { readonly frame: Frame },
): RowReaders {
  const readers = new Map<EntityItem, EntityReader>();
  if (shape.items.every((item) => item.kind === 'value')) {
    return { readers, rows: (given, form) => given.map(MAKERS[form](shape)) };
  }
  const reads = shape.items.map((item): Read => {
    if (item.kind === 'value') return valueRead(item);
    const mapper = mapperOfTable(item.from.table);
    if (mapper === undefined) return recordRead(item);
    const reader = new EntityReader(unit, { mapper, start: item.start, frame: options.frame }, options);
    readers.set(item, reader);
    return (row) => reader.read(row);
  });
  const keys = shape.items.map((item) => item.key);
  return { readers, rows: (given, form) => given.map(rowMaker(form, keys, reads)) };
}

function rowMaker(form: RowForm, keys: readonly string[], reads: readonly Read[]): (row: Scalar[]) => unknown {
  const [first] = reads;
  if (form === 'scalars') return (row) => first?.(row);
  if (form === 'tuples') return (row) => reads.map((read) => read(row));
  return (row) => {
    const record: Record<string, unknown> = {};
    for (let at = 0; at < keys.length; at++) put(record, keys[at] as string, (reads[at] as Read)(row));
    return record;
  };
}

/** `__proto__` is a name like others here. */
function put(record: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(record, key, { value, enumerable: true, writable: true, configurable: true });
  else record[key] = value;
}

function valueRead({ index, type }: ValueItem): Read {
  const decode = type?.decode;
  if (decode === undefined) return (row) => row[index];
  return (row) => {
    const value = row[index] as Scalar;
    return value === null ? null : decode(value);
  };
}

/** A table without a class: its rows are plain objects; `null` where an outer join found none. */
function recordRead({ start, columns }: EntityItem): Read {
  return (row) => {
    const record: Record<string, unknown> = {};
    let found = false;
    columns.forEach(({ key, type }, at) => {
      const wire = row[start + at] as Scalar;
      if (wire !== null) found = true;
      put(record, key, wire === null || type.decode === undefined ? wire : type.decode(wire));
    });
    return found ? record : null;
  };
}
