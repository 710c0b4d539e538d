// What a caller may give as an operand, and the node it becomes. Values are encoded at once, so that a wrong one is
// refused where it was written. Only athanor's own objects count as SQL: an object out of JSON never does.
import { CompileError, UsageError } from '../errors/index.ts';
import type { ColumnType } from '../types/column-type.ts';
import { encodeValue, typeOfValue, type ValueTarget } from '../types/encode.ts';
import { JSON_TYPE } from '../types/json-type.ts';
import { TEXT } from '../types/text-types.ts';
import { refuseValue } from '../types/value-error.ts';
import { arrayBindNode, bindNode, constantNode } from './expression-factory.ts';
import type { BindNode, ExpressionNode, SelectNode } from './expression-node.ts';
import { FROM, type FromElement, type Node } from './from.ts';
import { NODE } from './phantom.ts';

/** The node of an expression or a statement; `undefined` for anything else. */
export function nodeOf(value: unknown): Node | undefined {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined;
  return (value as { readonly [NODE]?: Node })[NODE];
}

/** The node of an expression. Throws `ATH_USAGE` for anything else. */
export function expressionNode(value: unknown): ExpressionNode {
  const node = nodeOf(value);
  if (node === undefined) throw notAnExpression(value);
  if (node.kind === 'select' || node.kind === 'insert' || node.kind === 'update' || node.kind === 'delete') {
    throw new UsageError('Expected an SQL expression, got a statement.', { hint: 'Make it one with scalar().' });
  }
  return node as ExpressionNode;
}

function notAnExpression(value: unknown): UsageError {
  if (value === undefined) {
    return new UsageError('Expected an SQL expression, got undefined.', {
      hint: 'Columns stand under .c of their class or table, as User.c.name.',
    });
  }
  if (typeof value === 'boolean') {
    return new UsageError('Expected an SQL expression, got a boolean.', {
      hint: 'Compare with the methods of a column, as User.c.name.eq(value); === compares in JavaScript.',
    });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return new UsageError('Expected an SQL expression, got an object.', {
      hint: "Conditions are expressions, as User.c.name.eq('ada'); a JSON value is literal(value).",
    });
  }
  return new UsageError(`Expected an SQL expression, got a ${Array.isArray(value) ? 'list' : typeof value}.`, {
    hint: 'Wrap a value in literal().',
  });
}

/** The element of a class, table, alias or subquery. Throws `ATH_USAGE` for anything else. */
export function fromOf(value: unknown): FromElement {
  const from = fromOrNothing(value);
  if (from === undefined) throw new UsageError('Expected a mapped class, a table, an alias or a subquery.');
  return from;
}

export function fromOrNothing(value: unknown): FromElement | undefined {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined;
  return (value as { readonly [FROM]?: FromElement })[FROM];
}

/** The node of a select. Throws `ATH_USAGE` for anything else. */
export function selectNode(value: unknown): SelectNode {
  const node = nodeOf(value);
  if (node?.kind !== 'select') throw new UsageError('Expected a select().');
  return node as SelectNode;
}

/** The column a node stands for, as errors name it. */
export function targetOf(node: ExpressionNode): ValueTarget | undefined {
  return node.kind === 'column' ? { table: node.from.name, column: node.column.name } : undefined;
}

/** An operand beside `other`, whose type a plain value takes. `null` is refused: SQL's comparison with it is never true. */
export function operandNode(value: unknown, other: ExpressionNode): ExpressionNode {
  const node = nodeOf(value);
  if (node !== undefined) return expressionNode(value);
  if (value === null) {
    throw new UsageError('A comparison with null is never true in SQL.', { hint: 'Use isNull() or isNotNull().' });
  }
  return valueNode(value, other);
}

/** A plain value as a parameter of the type of what it is compared with or assigned to; `null` is allowed. */
export function valueNode(value: unknown, other: ExpressionNode): BindNode {
  const type = other.type ?? plainType(value);
  return bindNode(encodeValue(type ?? TEXT, value, targetOf(other)), type);
}

/** A plain value as a parameter by itself: its type is cast in the text. */
export function literalNode(value: unknown): ExpressionNode {
  const node = nodeOf(value);
  if (node !== undefined) return expressionNode(value);
  if (value === null) return constantNode('null');
  const type = typeOfValue(value) ?? JSON_TYPE;
  return bindNode(encodeValue(type, value), type, true);
}

/** Text as a parameter, or an expression as it is. */
export function textNode(value: unknown): ExpressionNode {
  if (nodeOf(value) !== undefined) return expressionNode(value);
  return bindNode(encodeValue(TEXT, value), TEXT);
}

/** The array for IN. Throws `ATH_USAGE` for `null` in it, with which IN and NOT IN lose their meaning. */
export function listNode(values: readonly unknown[], other: ExpressionNode): BindNode {
  const type = other.type ?? plainType(values[0] ?? '');
  if (type === undefined) return refuseValue('plain values', values[0]);
  if (type.wire.endsWith('[]')) throw new CompileError('in() does not take lists of arrays.');
  const target = targetOf(other);
  const scalars = values.map((value) => {
    if (value === null) throw new UsageError('in() does not take null.', { hint: 'Add .or(column.isNull()).' });
    return encodeValue(type, value, target);
  });
  return arrayBindNode(scalars, type);
}

/** Without a type around it, an object is refused: it would be SQL's business what it means. */
function plainType(value: unknown): ColumnType | undefined {
  if (value === null) return undefined;
  return typeOfValue(value) ?? refuseValue('a plain value', value);
}
