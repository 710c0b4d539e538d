// Constraints and indexes over several columns, as a table's options declare them.
import { MappingError } from '../errors/index.ts';
import type { AnyAttr, Expr } from '../sql/expr.ts';
import type { ExpressionNode } from '../sql/expression-node.ts';
import { expressionNode } from '../sql/operand.ts';
import type { KIND } from '../sql/phantom.ts';
import type { OnDelete, ReferenceOptions } from './col.ts';
import { reference } from './column-definition.ts';

/** A constraint or index of a table. */
export interface Constraint {
  readonly [KIND]: 'constraint';
  /** The same under a name of your own instead of the convention's. */
  named(name: string): Constraint;
}

export type ConstraintRecord =
  | {
      readonly kind: 'unique' | 'index';
      readonly name: string | undefined;
      readonly columns: readonly ExpressionNode[];
    }
  | { readonly kind: 'check'; readonly name: string | undefined; readonly condition: ExpressionNode }
  | {
      readonly kind: 'foreignKey';
      readonly name: string | undefined;
      readonly columns: readonly ExpressionNode[];
      /** Gives the target's attribute, or a list of them. */
      readonly target: () => unknown;
      readonly onDelete: OnDelete | undefined;
    };

/** A constraint as it was declared; the table it is for resolves it. */
export class DeclaredConstraint {
  readonly record: ConstraintRecord;
  constructor(record: ConstraintRecord) {
    this.record = Object.freeze(record);
  }
  named(name: string): DeclaredConstraint {
    return new DeclaredConstraint({ ...this.record, name });
  }
}

function declared(record: ConstraintRecord): Constraint {
  return new DeclaredConstraint(record) as unknown as Constraint;
}

function columnNodes(what: string, cols: readonly unknown[]): readonly ExpressionNode[] {
  if (cols.length === 0) throw new MappingError(`${what}() needs columns.`);
  return cols.map(expressionNode);
}

/** No two rows have the same values in all of these columns. */
export function unique(...cols: AnyAttr[]): Constraint {
  return declared({ kind: 'unique', name: undefined, columns: columnNodes('unique', cols) });
}
export function index(...cols: AnyAttr[]): Constraint {
  return declared({ kind: 'index', name: undefined, columns: columnNodes('index', cols) });
}
/** The condition holds for every row. */
export function check(e: Expr<boolean | null>): Constraint {
  return declared({ kind: 'check', name: undefined, condition: expressionNode(e) });
}
/** A key of several columns: `foreignKey([t.a, t.b], () => [Other.c.a, Other.c.b])`. */
// oxlint-disable-next-line typescript/no-unsafe-function-type -- a call signature would resolve the target at once
export function foreignKey(cols: AnyAttr[], target: Function, opts: ReferenceOptions = {}): Constraint {
  const columns = columnNodes('foreignKey', cols);
  return declared({ kind: 'foreignKey', name: undefined, columns, ...reference(target, opts) });
}
