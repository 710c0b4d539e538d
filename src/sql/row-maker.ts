// Rows as drivers give them, arrays of wire values, to what a caller reads: objects, tuples, single values. For each
// shape a function is generated once; where code generation is forbidden, closures do the same, slower.
import { UsageError } from '../errors/index.ts';
import type { ColumnType } from '../types/column-type.ts';
import type { Scalar } from '../types/wire.ts';
import type { EntityItem, ResultShape, ValueItem } from './result-shape.ts';

/** Makes one thing of one row. The row is not kept. */
export type RowMaker<T = unknown> = (row: readonly Scalar[]) => T;

type Read = RowMaker;
type Decode = (value: Scalar) => unknown;

/** Rows as objects. Throws `ATH_USAGE` where two items have the same name: one would hide the other. */
export function objectRows(shape: ResultShape): RowMaker<object> {
  return remembered(objects, shape, () => {
    const keys = new Set<string>();
    for (const { key } of shape.items) {
      if (keys.has(key)) {
        throw new UsageError(`Two selected columns are named "${key}".`, {
          hint: 'label() one of them, name them with select({ ... }), or read tuples().',
        });
      }
      keys.add(key);
    }
    return generated(shape, objectSource) ?? closureObject(shape);
  }) as RowMaker<object>;
}

/** Rows by position. */
export function tupleRows(shape: ResultShape): RowMaker<unknown[]> {
  return remembered(tuples, shape, () => generated(shape, tupleSource) ?? closureTuple(shape)) as RowMaker<unknown[]>;
}

/** The first item of each row. */
export function scalarRows(shape: ResultShape): RowMaker {
  return remembered(scalars, shape, () => {
    const [first] = shape.items;
    if (first === undefined) throw new UsageError('The statement returns nothing.');
    return reader(first);
  });
}

const objects = new WeakMap<ResultShape, RowMaker>();
const tuples = new WeakMap<ResultShape, RowMaker>();
const scalars = new WeakMap<ResultShape, RowMaker>();

function remembered(known: WeakMap<ResultShape, RowMaker>, shape: ResultShape, make: () => RowMaker): RowMaker {
  let maker = known.get(shape);
  if (maker === undefined) known.set(shape, (maker = make()));
  return maker;
}

interface Generated {
  readonly source: string;
  readonly decoders: readonly Decode[];
}

function generated(shape: ResultShape, sourceOf: (shape: ResultShape) => Generated): RowMaker | undefined {
  const { source, decoders } = sourceOf(shape);
  try {
    // Nothing in the source comes from outside but property names, as JSON strings.
    // oxlint-disable-next-line typescript/no-implied-eval -- see above
    return new Function('d', `return function (row) { return ${source}; };`)(decoders) as RowMaker;
  } catch {
    return undefined;
  }
}

function objectSource(shape: ResultShape): Generated {
  const decoders: Decode[] = [];
  const properties = shape.items.map((item) => `${property(item.key)}: ${itemSource(item, decoders)}`);
  return { source: `{ ${properties.join(', ')} }`, decoders };
}

function tupleSource(shape: ResultShape): Generated {
  const decoders: Decode[] = [];
  return { source: `[${shape.items.map((item) => itemSource(item, decoders)).join(', ')}]`, decoders };
}

/** In brackets, for `__proto__:` alone would set the prototype. */
function property(key: string): string {
  return `[${JSON.stringify(key)}]`;
}

function itemSource(item: ValueItem | EntityItem, decoders: Decode[]): string {
  if (item.kind === 'value') return valueSource(item.index, item.type, decoders);
  const indexes = item.columns.map((_, position) => item.start + position);
  const missing = indexes.map((index) => `row[${index}] === null`).join(' && ');
  const properties = item.columns.map(
    (column, position) => `${property(column.key)}: ${valueSource(item.start + position, column.type, decoders)}`,
  );
  return `${missing} ? null : { ${properties.join(', ')} }`;
}

function valueSource(index: number, type: ColumnType | undefined, decoders: Decode[]): string {
  if (type?.decode === undefined) return `row[${index}]`;
  decoders.push(type.decode);
  return `row[${index}] === null ? null : d[${decoders.length - 1}](row[${index}])`;
}

function closureObject(shape: ResultShape): RowMaker {
  const parts = shape.items.map((item) => ({ key: item.key, read: reader(item) }));
  return (row) => built(parts, row);
}

function closureTuple(shape: ResultShape): RowMaker {
  const readers = shape.items.map(reader);
  return (row) => readers.map((read) => read(row));
}

function reader(item: ValueItem | EntityItem): Read {
  if (item.kind === 'value') return valueReader(item.index, item.type);
  const parts = item.columns.map((column, position) => ({
    key: column.key,
    read: valueReader(item.start + position, column.type),
  }));
  const end = item.start + item.columns.length;
  return (row) => (row.slice(item.start, end).every((value) => value === null) ? null : built(parts, row));
}

function valueReader(index: number, type: ColumnType | undefined): Read {
  const decode = type?.decode;
  if (decode === undefined) return (row) => row[index];
  return (row) => {
    const value = row[index] as Scalar;
    return value === null ? null : decode(value);
  };
}

function built(parts: readonly { readonly key: string; readonly read: Read }[], row: readonly Scalar[]): object {
  const object = {};
  for (const { key, read } of parts) {
    Object.defineProperty(object, key, { value: read(row), enumerable: true, configurable: true, writable: true });
  }
  return object;
}
