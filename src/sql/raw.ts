// SQL written by the user, as a part of an expression or as a statement of its own. What is interpolated becomes a
// parameter, an expression or a table's name: never text.
import { CompileError, UsageError } from '../errors/index.ts';
import { encodeValue, typeOfValue } from '../types/encode.ts';
import { JSON_TYPE } from '../types/json-type.ts';
import type { Expr } from './expr.ts';
import { expression } from './expression.ts';
import { bindNode, constantNode, rawNode, tableNameNode } from './expression-factory.ts';
import type { RawNode, TextNode } from './expression-node.ts';
import type { StatementNode } from './node.ts';
import { expressionNode, fromOrNothing, nodeOf } from './operand.ts';
import type { RAW } from './phantom.ts';
import type { Statement } from './statement.ts';

/** Raw SQL: an expression of a `T`, or, executed as it is, a statement whose rows are `T`. */
export interface RawSql<out T> extends Expr<T>, Statement<{ [K in keyof T]: Expr<T[K]> }, never, never, true> {
  readonly [RAW]: T;
}

/** Raw SQL as a typed expression: ``sql<number>`extract(year from ${Order.c.createdAt})` ``. */
export function sql<T = unknown>(strings: TemplateStringsArray, ...values: unknown[]): RawSql<T> {
  if (!Array.isArray(strings) || !Array.isArray(strings.raw)) {
    throw new UsageError('sql is a template tag: it takes no plain string.', {
      hint: 'Write sql`...`, without parentheses.',
    });
  }
  const texts = strings.map((text: string | undefined) => {
    if (text === undefined) throw new CompileError('sql`...` holds a wrong escape sequence.');
    if (text.includes('\0')) throw new CompileError('SQL text cannot hold a NUL character.');
    return text;
  });
  return expression<T>(rawNode(Object.freeze(texts), Object.freeze(values.map(part)), undefined)) as RawSql<T>;
}

function part(value: unknown): RawNode['parts'][number] {
  const from = fromOrNothing(value);
  if (from !== undefined) return tableNameNode(from);
  if (nodeOf(value) !== undefined) return expressionNode(value);
  if (value === null) return constantNode('null');
  const type = typeOfValue(value) ?? JSON_TYPE;
  return bindNode(encodeValue(type, value), type);
}

const asStatement = new WeakMap<RawNode, TextNode>();

/** The node of whatever can be executed: a statement, or raw SQL as one. Throws `ATH_USAGE` for anything else. */
export function statementNode(value: unknown): StatementNode {
  const node = nodeOf(value);
  switch (node?.kind) {
    case 'select':
    case 'insert':
    case 'update':
    case 'delete':
    case 'text':
      return node as StatementNode;
    case 'raw':
      return textNode(node as RawNode);
    default:
      throw new UsageError('Expected a statement.', {
        hint: 'select(), insert(), update(), deleteFrom() or sql`...`.',
      });
  }
}

function textNode(raw: RawNode): TextNode {
  let node = asStatement.get(raw);
  if (node === undefined) {
    node = Object.freeze({ kind: 'text', key: `X${raw.key}`, tables: undefined, raw });
    asStatement.set(raw, node);
  }
  return node;
}
