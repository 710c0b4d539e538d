// How PostgreSQL wants its statements.
import { statementCompiler } from '../../dialect/compile/statement-compiler.ts';
import type { CompileContext, SqlRules } from '../../dialect/compile/context.ts';
import { tight } from '../../dialect/compile/expression.ts';
import type { SqlCompiler } from '../../dialect/compiler.ts';
import type { LikeNode, LockNode } from '../../sql/expression-node.ts';
import type { TableColumn } from '../../sql/from.ts';
import { LEVEL } from '../../sql/operators.ts';
import type { ColumnType } from '../../types/column-type.ts';
import type { Scalar, WireKind } from '../../types/wire.ts';
import { parameterText } from './wire/parameter-text.ts';
import { literal } from './literal.ts';
import { IDENTIFIERS, typeName, unlimitedName } from './type-names.ts';

/** For schemas as for statements. */
export const RULES: SqlRules = Object.freeze({
  ...IDENTIFIERS,
  schemas: true,
  placeholder: (position: number) => `$${position}`,
  typeName,
  castsParameters: true,
  literal,
  inArray: (left: string, array: string, negated: boolean) =>
    negated ? `${left} <> ALL(${array})` : `${left} = ANY(${array})`,
  operators: {},
  // To the millisecond, like every Date: what comes back equals what is stored.
  functions: { now: () => 'CURRENT_TIMESTAMP(3)' },
  expressions: { like: likeText },
  lock: lockText,
  distinctOn: true,
  unlimited: '',
  deleteUsing: true,
  defaultWord: 'DEFAULT',
  conflictNeedsWhere: false,
  unnest: { arrayOf, element },
});

export const postgresqlCompiler: SqlCompiler = statementCompiler(RULES);

function likeText(context: CompileContext, node: LikeNode): string {
  const operand = tight(context, { node: node.operand, level: LEVEL.predicate + 1 }, 'operand');
  const pattern = tight(context, { node: node.pattern, level: LEVEL.predicate + 1 }, 'pattern');
  return `${operand} ${node.insensitive ? 'ILIKE' : 'LIKE'} ${pattern}`;
}

const WAIT = { wait: '', skipLocked: ' SKIP LOCKED', nowait: ' NOWAIT' } as const;

function lockText({ mode, wait }: LockNode, of: string | undefined): string {
  return ` FOR ${mode.toUpperCase()}${of === undefined ? '' : ` OF ${of}`}${WAIT[wait]}`;
}

function arrayOf({ type }: TableColumn): {
  readonly cast: string;
  readonly wire: WireKind;
  readonly read: (value: Scalar) => Scalar;
} {
  // unnest() would take an array of arrays apart to its last element: each travels as its own text.
  if (isArray(type)) return { cast: 'text[]', wire: 'text[]', read: (value) => arrayText(value, type) };
  return { cast: `${unlimitedName(type)}[]`, wire: `${type.wire}[]` as WireKind, read: (value) => value };
}

function element({ type }: TableColumn, value: string): string {
  return isArray(type) ? `CAST(${value} AS ${unlimitedName(type)})` : value;
}

function isArray(type: ColumnType): boolean {
  return type.wire.endsWith('[]');
}

function arrayText(value: Scalar, type: ColumnType): Scalar {
  return value === null ? null : parameterText(value, type.wire);
}
