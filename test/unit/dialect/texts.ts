// What a statement comes out as on each dialect: text and parameters.
import { postgresqlCompiler } from '../../../src/dialects/postgresql/compiler.ts';
import { sqliteCompiler } from '../../../src/dialects/sqlite/compiler.ts';
import type { SqlCompiler } from '../../../src/dialect/compiler.ts';
import type { DriverStatement, Scalar } from '../../../src/driver/driver.ts';
import { statementNode } from '../../../src/sql/raw.ts';

export type Dialect = 'postgresql' | 'sqlite';
export const compilers: Readonly<Record<Dialect, SqlCompiler>> = {
  postgresql: postgresqlCompiler,
  sqlite: sqliteCompiler,
};

export function bound(dialect: Dialect, statement: unknown): DriverStatement {
  const node = statementNode(statement);
  return compilers[dialect].compile(node).bind(node);
}
export function pg(statement: unknown): string {
  return bound('postgresql', statement).text.sql;
}
export function lite(statement: unknown): string {
  return bound('sqlite', statement).text.sql;
}
export function params(statement: unknown, dialect: Dialect = 'postgresql'): readonly Scalar[] {
  return bound(dialect, statement).params;
}
