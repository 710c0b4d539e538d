// The compiler: a statement in, frozen text and the way to bind it out. Which database it is for is in the rules.
import type { DriverStatement, StatementText } from '../../driver/driver.ts';
import type { BulkNode } from '../../sql/bulk.ts';
import type { AnyStatementNode, ExpressionNode, InsertNode, SelectItem } from '../../sql/expression-node.ts';
import type { TableColumn } from '../../sql/from.ts';
import type { StatementNode } from '../../sql/node.ts';
import type { ResultShape } from '../../sql/result-shape.ts';
import type { Scalar } from '../../types/wire.ts';
import { noteCompiled } from '../compile-facts.ts';
import type { Compiled, CompiledBulk, SchemaOf, SqlCompiler } from '../compiler.ts';
import { manyRowsText, singleRowText } from './bulk.ts';
import { boundParameters, checkParameters, type CompileContext, compileContext, type SqlRules } from './context.ts';
import { expression } from './expression.ts';
import { withClause } from './from.ts';
import { resultShape, resultWires } from './result.ts';
import { selectText } from './select.ts';
import { deleteText, insertText, updateText } from './write.ts';

/** The compiler of a dialect. */
export function statementCompiler(rules: SqlRules): SqlCompiler {
  return Object.freeze({
    compile: (statement: StatementNode): Compiled => compile(rules, statement as AnyStatementNode),
    compileBulk: (bulk: BulkNode): CompiledBulk => compileBulk(rules, bulk),
    ...(rules.schemas ? { withSchemas: (schemaOf: SchemaOf) => statementCompiler({ ...rules, schemaOf }) } : {}),
  });
}

/** An expression of a schema: values written out, columns by their bare names. */
export function schemaExpression(rules: SqlRules, node: ExpressionNode): string {
  return expression(compileContext(rules, selectText, { inline: true, qualified: false }), node);
}

function compile(rules: SqlRules, statement: AnyStatementNode): Compiled {
  const begun = performance.now();
  const context = compileContext(rules, selectText);
  const body = statementText(context, statement);
  const { parameters } = context;
  checkParameters(statement, parameters);
  const items = itemsOf(statement);
  const text: StatementText = Object.freeze({
    sql: `${withClause(context)}${body}`,
    params: Object.freeze(parameters.map(({ wire }) => wire)),
    results: items === undefined ? undefined : Object.freeze(resultWires(items)),
    // A text whose length follows the data is seldom seen twice.
    prepare: !(statement.kind === 'insert' && statement.source.kind === 'values' && statement.source.rows.length > 1),
  });
  noteCompiled(text, begun);
  const bind = (given: StatementNode): DriverStatement => ({ text, params: boundParameters(given, parameters) });
  const inSets =
    statement.kind === 'insert' &&
    statement.source.kind === 'rows' &&
    statement.source.rows.length > 1 &&
    rules.unnest === undefined;
  return Object.freeze({
    text,
    result: items === undefined ? undefined : resultShape(statement.key, items),
    bind: inSets ? (given: StatementNode): DriverStatement => inParameterSets(bind(given), given as InsertNode) : bind,
  });
}

function statementText(context: CompileContext, statement: AnyStatementNode): string {
  switch (statement.kind) {
    case 'select':
      return selectText(context, statement);
    case 'insert':
      return insertText(context, statement);
    case 'update':
      return updateText(context, statement);
    case 'delete':
      return deleteText(context, statement);
    case 'text':
      return expression(context, statement.raw, 'raw');
  }
}

function itemsOf(statement: AnyStatementNode): readonly SelectItem[] | undefined {
  if (statement.kind === 'text') return undefined;
  if (statement.kind === 'select') return statement.compound?.first.items ?? statement.items;
  return statement.returning.length === 0 ? undefined : statement.returning;
}

/** The first parameters are a row's; what follows them is the same for all rows. */
function inParameterSets(bound: DriverStatement, { source }: InsertNode): DriverStatement {
  const rows = source.kind === 'rows' ? source.rows : [];
  const rest = bound.params.slice(rows[0]?.length ?? 0);
  return { text: bound.text, params: [], sets: rest.length === 0 ? rows : rows.map((row) => [...row, ...rest]) };
}

function compileBulk(rules: SqlRules, bulk: BulkNode): CompiledBulk {
  const returning = returningOf(bulk);
  const single = bulkStatement(rules, bulk, singleRowText);
  const many = rules.unnest === undefined ? undefined : lazily(() => bulkStatement(rules, bulk, manyRowsText));
  return Object.freeze({
    text: single.text,
    result: returning.length === 0 ? undefined : returnedShape(bulk.key, returning),
    bind: (rows: readonly (readonly Scalar[])[]): DriverStatement => {
      if (rows.length === 1) return { text: single.text, params: rows[0] as readonly Scalar[] };
      return many === undefined ? { text: single.text, params: [], sets: rows } : many().bind(rows);
    },
  });
}

function returningOf(bulk: BulkNode): readonly TableColumn[] {
  return bulk.kind === 'bulkDelete' ? [] : bulk.returning;
}

interface BulkStatement {
  readonly text: StatementText;
  bind(rows: readonly (readonly Scalar[])[]): DriverStatement;
}

function bulkStatement(
  rules: SqlRules,
  bulk: BulkNode,
  render: (context: CompileContext, bulk: BulkNode) => string,
): BulkStatement {
  const begun = performance.now();
  const returning = returningOf(bulk);
  const context = compileContext(rules, selectText);
  const text: StatementText = Object.freeze({
    sql: render(context, bulk),
    params: Object.freeze(context.parameters.map(({ wire }) => wire)),
    results: returning.length === 0 ? undefined : Object.freeze(returning.map((column) => column.type.wire)),
    prepare: true,
  });
  noteCompiled(text, begun);
  return { text, bind: (rows) => ({ text, params: boundParameters(rows, context.parameters) }) };
}

function returnedShape(key: string, returning: readonly TableColumn[]): ResultShape {
  const items = returning.map((column, index) =>
    Object.freeze({ kind: 'value' as const, key: column.key, index, type: column.type }),
  );
  return Object.freeze({ key, items: Object.freeze(items) });
}

function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
