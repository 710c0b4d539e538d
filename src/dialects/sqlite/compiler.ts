// How SQLite wants its statements.
import { type CompileContext, parameter, type SqlRules } from '../../dialect/compile/context.ts';
import { at } from '../../dialect/compile/context.ts';
import { expression, renderStandard, tight } from '../../dialect/compile/expression.ts';
import { statementCompiler } from '../../dialect/compile/statement-compiler.ts';
import type { SqlCompiler } from '../../dialect/compiler.ts';
import { CompileError, UnsupportedError } from '../../errors/index.ts';
import type { BinaryNode, BindNode, LockNode, PathNode } from '../../sql/expression-node.ts';
import { LEVEL } from '../../sql/operators.ts';
import type { ColumnType } from '../../types/column-type.ts';
import type { Scalar } from '../../types/wire.ts';
import { timestampText } from './driver/timestamp-text.ts';
import { RESERVED } from './reserved-words.ts';

const TYPES: Readonly<Record<string, string>> = {
  boolean: 'INTEGER',
  integer: 'INTEGER',
  bigint: 'INTEGER',
  float: 'REAL',
  text: 'TEXT',
  bytes: 'BLOB',
  epoch: 'TEXT',
  json: 'TEXT',
};

/** For schemas as for statements. */
export const RULES: SqlRules = Object.freeze({
  reserved: RESERVED,
  maxIdentifierLength: 63,
  schemas: false,
  placeholder: (position: number) => `?${position}`,
  typeName,
  castsParameters: false,
  literal,
  inArray: (left: string, array: string, negated: boolean) =>
    `${left} ${negated ? 'NOT ' : ''}IN (SELECT value FROM json_each(${array}))`,
  operators: { distinct: 'IS NOT', notDistinct: 'IS' },
  functions: {
    // The text form that moments are stored in.
    now: () => "strftime('%Y-%m-%d %H:%M:%f', 'now')",
    array_agg: () => {
      throw new UnsupportedError('SQLite has no arrays.');
    },
  },
  expressions: { binary: binaryText, path: pathText },
  lock: lockText,
  distinctOn: false,
  unlimited: ' LIMIT -1',
  deleteUsing: false,
  defaultWord: undefined,
  conflictNeedsWhere: true,
});

export const sqliteCompiler: SqlCompiler = statementCompiler(RULES);

/** By the form a value travels in: exact decimals must not fall into a column that makes floats of them. */
function typeName({ name, wire }: ColumnType): string {
  if (name === 'bigint') return 'INTEGER';
  const type = TYPES[wire];
  if (type === undefined) throw new UnsupportedError('SQLite has no arrays.', { hint: 'Use json().' });
  return type;
}

function literal(value: Scalar, type: ColumnType | undefined): string {
  if (value === null) return 'NULL';
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex')}'`;
  if (type?.wire === 'epoch') return textLiteral(timestampText(value as number));
  switch (typeof value) {
    case 'boolean':
      return value ? '1' : '0';
    case 'number':
    case 'bigint':
      return String(value);
    case 'string':
      return textLiteral(value);
    default:
      throw new CompileError('A schema cannot hold a list of values here.');
  }
}

function textLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The whole database is locked by the first write; skipping rows that others hold is what SQLite cannot do. */
function lockText({ wait }: LockNode): string {
  if (wait === 'skipLocked') throw new UnsupportedError('SQLite locks no single rows, and so can skip none.');
  return '';
}

const COMPARISONS: ReadonlySet<string> = new Set(['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'distinct', 'notDistinct']);

/** JSON is text to SQLite: compared as such, 10 would come before 9. */
function binaryText(context: CompileContext, node: BinaryNode): string {
  const { operator, left, right } = node;
  if (!COMPARISONS.has(operator) || (left.type?.wire !== 'json' && right.type?.wire !== 'json')) {
    return renderStandard(context, node);
  }
  const word =
    context.rules.operators[operator] ?? { eq: '=', ne: '<>', lt: '<', le: '<=', gt: '>', ge: '>=' }[operator as 'eq'];
  const side = (name: 'left' | 'right'): string => `json_extract(${expression(context, node[name], name)}, '$')`;
  return `${side('left')} ${word} ${side('right')}`;
}

/** A key is quoted inside the path, so that nothing in it can be read as a step. */
function pathText(context: CompileContext, node: PathNode): string {
  const operand = tight(context, { node: node.operand, level: LEVEL.primary }, 'operand');
  const path = at(context, ['path'], () =>
    parameter(context, 'text', (found) => `$.${JSON.stringify(((found as BindNode).value as readonly string[])[0])}`),
  );
  return `(${operand} -> ${path})`;
}
