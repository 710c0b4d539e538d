// The key a caller gives to `get`: a value, or an object for a composite key. Checked here, because a key often comes
// out of a request: anything but exactly a key is refused.
import { MappingError, UsageError } from '../../errors/index.ts';
import { META } from '../../sql/phantom.ts';
import type { TableColumn } from '../../sql/from.ts';
import { encodeValue } from '../../types/encode.ts';
import type { Scalar } from '../../types/wire.ts';
import { Mapper } from '../mapping/mapper.ts';

/** The mapper of a class. Throws `ATH_MAPPING` for anything else. */
export function mapperOfClass(entityClass: unknown): Mapper {
  const mapper = typeof entityClass === 'function' ? (entityClass as { readonly [META]?: unknown })[META] : undefined;
  if (mapper instanceof Mapper) return mapper;
  throw new MappingError('Expected a mapped class: class X extends Base.table(...) {}.');
}

/** The key in wire form, in the order of the key's columns. Throws `ATH_USAGE` or `ATH_DATA` for what is no key. */
export function keyScalars(mapper: Mapper, key: unknown): readonly Scalar[] {
  const columns = mapper.primaryKey.map((index) => mapper.columns[index] as TableColumn);
  const [only] = columns;
  if (only !== undefined && columns.length === 1) return [scalar(mapper, only, key)];
  const given = compositeKey(mapper, columns, key);
  return columns.map((column) => scalar(mapper, column, given[column.key]));
}

function compositeKey(
  mapper: Mapper,
  columns: readonly TableColumn[],
  key: unknown,
): Readonly<Record<string, unknown>> {
  const names = columns.map((column) => column.key);
  if (typeof key === 'object' && key !== null && !Array.isArray(key)) {
    const given = Object.keys(key);
    if (given.length === names.length && names.every((name) => Object.hasOwn(key, name))) {
      return key as Record<string, unknown>;
    }
  }
  throw new UsageError(`The key of ${mapper.name} is an object with exactly ${names.join(' and ')}.`);
}

function scalar(mapper: Mapper, column: TableColumn, value: unknown): Scalar {
  if (value === null || value === undefined) {
    throw new UsageError(`The key ${column.key} of ${mapper.name} is ${String(value)}: no row has such a key.`);
  }
  return encodeValue(column.type, value, { table: mapper.name, column: column.name });
}
