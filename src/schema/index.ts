// The public names of the layer.
export type { Col, Derived, FkCol, Flag, OnDelete, ReferenceOptions } from './col.ts';
export { Column, type ColumnReference } from './column.ts';
export {
  array,
  bigint,
  boolean,
  bytea,
  customType,
  derived,
  double,
  enumOf,
  fk,
  integer,
  json,
  numeric,
  text,
  timestamptz,
  uuid,
  varchar,
} from './columns.ts';
export { check, type Constraint, foreignKey, index, unique } from './constraint.ts';
export { MetaData, type MetaDataOptions, type SchemaBind, type SchemaChange, type SchemaOptions } from './metadata.ts';
export type { Naming } from './naming.ts';
export { type CoreTable, type NewRowOf, type RowOf, Table, type TableOptions, table } from './table.ts';
