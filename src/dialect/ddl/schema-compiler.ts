// CREATE and DROP for whole schemas. What a dialect has of its own, types for enums or keys added later, is in the
// rules it brings.
import { CompileError } from '../../errors/index.ts';
import type { Column } from '../../schema/column.ts';
import type { SchemaChange } from '../../schema/metadata.ts';
import type { ForeignKey, Table } from '../../schema/table.ts';
import { laterKeys } from '../../schema/table-order.ts';
import type { ExpressionNode } from '../../sql/expression-node.ts';
import type { EnumType } from '../../types/text-types.ts';
import { quoted, schemaOf } from '../compile/identifier.ts';
import type { SqlRules } from '../compile/context.ts';
import { schemaExpression } from '../compile/statement-compiler.ts';
import type { DdlCompiler, SchemaOf } from '../compiler.ts';

export interface DdlRules {
  readonly sql: SqlRules;
  /** What stands behind the type of a column the database numbers; empty where its key is numbered anyway. */
  readonly identity: string;
  /** Enums are types of their own: how one is made and dropped. Absent: text with a check. */
  readonly enums?: { create(type: EnumType): string; drop(type: EnumType): string } | undefined;
  /** A key can be added to a table that is there. Absent: all are part of CREATE TABLE, whatever the order. */
  readonly addForeignKey?: ((table: string, name: string, constraint: string) => string) | undefined;
  /** Takes such a key away again, that tables may be dropped in any order. */
  readonly dropForeignKey?: ((table: string, name: string) => string) | undefined;
  /** What must be said before tables that refer to each other in a circle are dropped. */
  readonly beforeCircularDrop: readonly string[];
  createSchema(name: string): string | undefined;
  /** Stands at the end of CREATE TABLE. */
  readonly tableOptions: string;
  computed(expression: string): string;
}

/** The compiler of a dialect's schemas. */
export function schemaCompiler(rules: DdlRules): DdlCompiler {
  return Object.freeze({
    compile: (change: SchemaChange): readonly string[] =>
      change.action === 'create' ? createStatements(rules, change.tables) : dropStatements(rules, change.tables),
    ...(rules.sql.schemas
      ? { withSchemas: (schemaOf: SchemaOf) => schemaCompiler({ ...rules, sql: { ...rules.sql, schemaOf } }) }
      : {}),
  });
}

function createStatements(rules: DdlRules, tables: readonly Table[]): readonly string[] {
  return [
    ...schemasOf(rules, tables).flatMap((name) => rules.createSchema(name) ?? []),
    ...enumsOf(tables).flatMap((type) => rules.enums?.create(type) ?? []),
    ...tables.map((table) => createTable(rules, table, tables)),
    ...tables.flatMap((table) => indexStatements(rules, table)),
    ...addedKeys(rules, tables).map(({ table, key }) => addKey(rules, table, key)),
  ];
}

function dropStatements(rules: DdlRules, tables: readonly Table[]): readonly string[] {
  const created = [...tables].reverse();
  const circular = tables.flatMap((table) => laterKeys(table, created).map((key) => ({ table, key })));
  return [
    ...(circular.length > 0 ? rules.beforeCircularDrop : []),
    ...circular.flatMap(({ table, key }) => rules.dropForeignKey?.(nameOf(rules, table), name(rules, key.name)) ?? []),
    ...tables.map((table) => `DROP TABLE IF EXISTS ${nameOf(rules, table)}`),
    ...enumsOf(tables).flatMap((type) => rules.enums?.drop(type) ?? []),
  ];
}

function schemasOf(rules: DdlRules, tables: readonly Table[]): readonly string[] {
  return [...new Set(tables.flatMap((table) => schemaOf(rules.sql, table.schema) ?? []))];
}

/** Each enum once. Throws `ATH_COMPILE` where two of one name have different values. */
function enumsOf(tables: readonly Table[]): readonly EnumType[] {
  const found = new Map<string, EnumType>();
  for (const table of tables) {
    for (const { type } of table.columns) {
      if (type.name !== 'enum') continue;
      const known = found.get((type as EnumType).typeName);
      if (known !== undefined && known.key !== type.key) {
        throw new CompileError(`There are two different enums named ${known.typeName}.`);
      }
      found.set((type as EnumType).typeName, type as EnumType);
    }
  }
  return [...found.values()];
}

function createTable(rules: DdlRules, table: Table, order: readonly Table[]): string {
  const later = rules.addForeignKey === undefined ? [] : laterKeys(table, order);
  const keys = table.foreignKeys.filter((key) => !later.some((one) => one.name === key.name));
  const lines = [
    ...table.columns.map((column) => columnText(rules, column)),
    ...primaryKeyText(rules, table),
    ...table.uniques.map((one) => constraint(rules, one.name, `UNIQUE (${list(rules, one.columns)})`)),
    ...table.checks.map((one) => constraint(rules, one.name, `CHECK (${schemaExpression(rules.sql, one.condition)})`)),
    ...enumChecks(rules, table),
    ...keys.map((key) => constraint(rules, key.name, keyText(rules, key))),
  ];
  return `CREATE TABLE IF NOT EXISTS ${nameOf(rules, table)} (\n  ${lines.join(',\n  ')}\n)${rules.tableOptions}`;
}

function columnText(rules: DdlRules, column: Column): string {
  const parts = [name(rules, column.name), rules.sql.typeName(column.type)];
  if (!column.nullable) parts.push('NOT NULL');
  if (column.computed !== undefined) parts.push(rules.computed(schemaExpression(rules.sql, column.computed)));
  else if (column.autoincrement && rules.identity !== '') parts.push(rules.identity);
  else if (column.serverDefault !== undefined) {
    parts.push(`DEFAULT ${defaultText(rules, column.serverDefault as ExpressionNode)}`);
  }
  return parts.join(' ');
}

/** In parentheses but where it is a plain value: databases differ in what else they take bare. */
function defaultText(rules: DdlRules, node: ExpressionNode): string {
  const text = schemaExpression(rules.sql, node);
  return node.kind === 'bind' || node.kind === 'constant' ? text : `(${text})`;
}

function primaryKeyText(rules: DdlRules, table: Table): readonly string[] {
  if (table.primaryKey.length === 0) return [];
  return [constraint(rules, table.primaryKeyName, `PRIMARY KEY (${list(rules, table.primaryKey)})`)];
}

function enumChecks(rules: DdlRules, table: Table): readonly string[] {
  if (rules.enums !== undefined) return [];
  return table.columns.flatMap((column) => {
    if (column.type.name !== 'enum') return [];
    const values = (column.type as EnumType).values.map((value) => rules.sql.literal(value, column.type));
    return [`CHECK (${name(rules, column.name)} IN (${values.join(', ')}))`];
  });
}

function keyText(rules: DdlRules, key: ForeignKey): string {
  const { table, columns } = key.target();
  const onDelete = key.onDelete === undefined ? '' : ` ON DELETE ${key.onDelete.toUpperCase()}`;
  return `FOREIGN KEY (${list(rules, key.columns)}) REFERENCES ${nameOf(rules, table)} (${list(rules, columns)})${onDelete}`;
}

function indexStatements(rules: DdlRules, table: Table): readonly string[] {
  return table.indexes.map(
    (index) =>
      `CREATE INDEX IF NOT EXISTS ${name(rules, index.name)} ON ${nameOf(rules, table)} (${list(rules, index.columns)})`,
  );
}

function addedKeys(
  rules: DdlRules,
  tables: readonly Table[],
): readonly { readonly table: Table; readonly key: ForeignKey }[] {
  if (rules.addForeignKey === undefined) return [];
  return tables.flatMap((table) => laterKeys(table, tables).map((key) => ({ table, key })));
}

function addKey(rules: DdlRules, table: Table, key: ForeignKey): string {
  return rules.addForeignKey?.(nameOf(rules, table), name(rules, key.name), keyText(rules, key)) ?? '';
}

function constraint(rules: DdlRules, given: string, text: string): string {
  return `CONSTRAINT ${name(rules, given)} ${text}`;
}

function list(rules: DdlRules, columns: readonly Column[]): string {
  return columns.map((column) => name(rules, column.name)).join(', ');
}

function name(rules: DdlRules, given: string): string {
  return quoted(rules.sql, given);
}

function nameOf(rules: DdlRules, table: Table): string {
  const schema = schemaOf(rules.sql, table.schema);
  return schema === undefined ? name(rules, table.name) : `${name(rules, schema)}.${name(rules, table.name)}`;
}
