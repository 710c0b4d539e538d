// SQL functions. Those with a known type are methods; any other is reached by `call`.
import { UsageError } from '../errors/index.ts';
import { arrayType } from '../types/array-type.ts';
import type { ColumnType } from '../types/column-type.ts';
import { MOMENT } from '../types/moment-types.ts';
import { COUNT, DOUBLE, NUMERIC } from '../types/number-types.ts';
import { TEXT } from '../types/text-types.ts';
import type { AnyExpr, Expr, Label, NN, Nul } from './expr.ts';
import { expression } from './expression.ts';
import { functionNode } from './expression-factory.ts';
import type { ExpressionNode } from './expression-node.ts';
import { expressionNode, literalNode, valueNode } from './operand.ts';
import { nodeOf } from './operand.ts';

export interface Functions {
  /** Rows, or rows where `e` is not null. */
  count(e?: AnyExpr): Label<number, 'count'>;
  sum<T extends number | string | null>(e: Expr<T>): Label<T | null, 'sum'>;
  sum(e: Expr<bigint | null>): Label<string | null, 'sum'>;
  /** As digits: an average is seldom a number that JavaScript holds exactly. */
  avg(e: Expr<number | bigint | string | null>): Label<string | null, 'avg'>;
  min<T>(e: Expr<T>): Label<T | null, 'min'>;
  max<T>(e: Expr<T>): Label<T | null, 'max'>;
  lower<T extends string | null>(e: Expr<T>): Label<string | Nul<T>, 'lower'>;
  upper<T extends string | null>(e: Expr<T>): Label<string | Nul<T>, 'upper'>;
  /** In characters. */
  length<T extends string | null>(e: Expr<T>): Label<number | Nul<T>, 'length'>;
  coalesce<T>(e: Expr<T | null>, fallback: NN<T> | Expr<NN<T>>): Label<NN<T>, 'coalesce'>;
  /** The moment the transaction began, or the statement where there is none; in milliseconds. */
  now(): Label<Date, 'now'>;
  rowNumber(): Label<number, 'rowNumber'>;
  rank(): Label<number, 'rank'>;
  denseRank(): Label<number, 'denseRank'>;
  lag<T>(e: Expr<T>): Label<T | null, 'lag'>;
  lead<T>(e: Expr<T>): Label<T | null, 'lead'>;
  arrayAgg<T>(e: Expr<T>): Label<T[] | null, 'arrayAgg'>;
  /** Any function by its name in SQL. Its value comes as the driver gives it: `cast` it where that matters. */
  call<T>(name: string, ...args: unknown[]): Expr<T>;
}

type TypeRule = (argument: ColumnType | undefined) => ColumnType | undefined;

const same: TypeRule = (type) => type;
const always =
  (type: ColumnType): TypeRule =>
  (): ColumnType =>
    type;
/** A sum of 32-bit integers is a number that is checked; of larger ones, digits. */
const sumType: TypeRule = (type) =>
  type === undefined ? undefined : type.wire === 'integer' ? COUNT : type.wire === 'float' ? DOUBLE : NUMERIC;

function call(name: string, args: readonly ExpressionNode[], rule: TypeRule): unknown {
  return expression(functionNode(name, args, { type: rule(args[0]?.type) }));
}

function unary(name: string, rule: TypeRule): (argument: unknown) => unknown {
  return (argument) => call(name, [expressionNode(argument)], rule);
}

function nullary(name: string, type: ColumnType): () => unknown {
  return () => call(name, [], always(type));
}

const NAME = /^[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)?$/i;

const functions: Record<keyof Functions, unknown> = {
  count: (argument?: unknown) =>
    argument === undefined
      ? expression(functionNode('count', [], { type: COUNT, star: true }))
      : call('count', [expressionNode(argument)], always(COUNT)),
  sum: unary('sum', sumType),
  avg: unary('avg', always(NUMERIC)),
  min: unary('min', same),
  max: unary('max', same),
  lower: unary('lower', always(TEXT)),
  upper: unary('upper', always(TEXT)),
  length: unary('length', always(COUNT)),
  coalesce: (argument: unknown, fallback: unknown) => {
    const node = expressionNode(argument);
    return call(
      'coalesce',
      [node, nodeOf(fallback) === undefined ? valueNode(fallback, node) : expressionNode(fallback)],
      same,
    );
  },
  now: nullary('now', MOMENT),
  rowNumber: nullary('row_number', COUNT),
  rank: nullary('rank', COUNT),
  denseRank: nullary('dense_rank', COUNT),
  lag: unary('lag', same),
  lead: unary('lead', same),
  arrayAgg: unary('array_agg', (type) => (type === undefined ? undefined : arrayType(type))),
  call: (name: string, ...args: unknown[]) => {
    if (!NAME.test(name)) throw new UsageError('func.call() takes the name of a function.');
    return expression(functionNode(name, args.map(literalNode)));
  },
};

/** SQL's functions: `func.count()`, `func.max(Order.c.createdAt)`. */
export const func: Functions = Object.freeze(functions) as unknown as Functions;
