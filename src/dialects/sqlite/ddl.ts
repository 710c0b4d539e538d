// SQLite's schemas: strict tables, enums as checks, foreign keys inside their tables whatever the order.
import type { DdlCompiler } from '../../dialect/compiler.ts';
import { schemaCompiler } from '../../dialect/ddl/schema-compiler.ts';
import { RULES } from './compiler.ts';

export const sqliteDdl: DdlCompiler = schemaCompiler({
  sql: RULES,
  // A key of one INTEGER column is the row's own number.
  identity: '',
  beforeCircularDrop: ['PRAGMA defer_foreign_keys = ON'],
  createSchema: () => undefined,
  tableOptions: ' STRICT',
  computed: (expression) => `GENERATED ALWAYS AS (${expression}) STORED`,
});
