// What compiling a statement needs: the dialect's rules, and what has been gathered on the way. Every parameter is
// remembered by the path that leads to its value from the statement's root, so that any other statement of the same
// shape can be bound without being walked.
import { CompileError } from '../../errors/index.ts';
import type {
  BindNode,
  ExpressionNode,
  FunctionNode,
  LockNode,
  QueryElement,
  SelectNode,
} from '../../sql/expression-node.ts';
import type { FromElement, TableColumn } from '../../sql/from.ts';
import type { BinaryOperator } from '../../sql/operators.ts';
import type { ColumnType } from '../../types/column-type.ts';
import type { Scalar, WireKind } from '../../types/wire.ts';
import type { SchemaOf } from '../compiler.ts';

export type PathStep = string | number;

/** One parameter of a compiled text. */
export interface Parameter {
  readonly path: readonly PathStep[];
  readonly wire: WireKind | undefined;
  /** What to make of that which the path leads to; by default the value of the bind there. */
  readonly read: ((found: unknown) => Scalar) | undefined;
}

/** The elements a query has in FROM, inside those of the queries around it. */
export interface Scope {
  readonly elements: readonly FromElement[];
  readonly parent: Scope | undefined;
}

export interface CompileContext {
  readonly rules: SqlRules;
  /** Handed in, so that expressions may hold queries and queries expressions. */
  readonly renderQuery: (context: CompileContext, query: SelectNode) => string;
  readonly parameters: Parameter[];
  readonly path: PathStep[];
  /** Common table expressions in the order they were finished; all stand before the whole statement. */
  readonly common: { readonly element: QueryElement; sql: string | undefined }[];
  scope: Scope | undefined;
  /** Whether each selected column must have the name the query around it uses. */
  named: boolean;
  /** Values are written into the text: DDL takes no parameters. */
  readonly inline: boolean;
  /** Columns are written with their table's name. */
  readonly qualified: boolean;
}

type Override<N> = (context: CompileContext, node: N) => string;

/** What differs between databases: facts as data, and renderings by kind where the general one will not do. */
export interface SqlRules {
  readonly reserved: ReadonlySet<string>;
  /** Bytes. */
  readonly maxIdentifierLength: number;
  readonly schemas: boolean;
  /** Where tables are written with other schemas than they name. */
  readonly schemaOf?: SchemaOf | undefined;
  /** `position` counts from 1. */
  placeholder(position: number): string;
  /** The SQL name of a type, with its limits. */
  typeName(type: ColumnType): string;
  /** Whether a parameter in a place that says nothing of its type must be cast. */
  readonly castsParameters: boolean;
  literal(value: Scalar, type: ColumnType | undefined): string;
  /** `left IN (array)`. */
  inArray(left: string, array: string, negated: boolean): string;
  readonly operators: Readonly<Partial<Record<BinaryOperator, string>>>;
  readonly functions: Readonly<Record<string, Override<FunctionNode>>>;
  readonly expressions: { readonly [K in ExpressionNode['kind']]?: Override<Extract<ExpressionNode, { kind: K }>> };
  /** Throws `ATH_UNSUPPORTED` for what the database has not. */
  lock(lock: LockNode, of: string | undefined): string;
  readonly distinctOn: boolean;
  /** What OFFSET needs before it where there is no LIMIT. */
  readonly unlimited: string;
  /** `DELETE FROM t USING u`. */
  readonly deleteUsing: boolean;
  /** What stands for a column's default inside VALUES; `undefined` where there is no word for it. */
  readonly defaultWord: string | undefined;
  /** INSERT ... SELECT ... ON CONFLICT cannot be parsed without a WHERE. */
  readonly conflictNeedsWhere: boolean;
  /** Arrays become rows on the server; absent where many rows travel as parameter sets. */
  readonly unnest?: UnnestRules | undefined;
}

export interface UnnestRules {
  /** The type an array of the column's values is cast to, and its form. */
  arrayOf(column: TableColumn): {
    readonly cast: string;
    readonly wire: WireKind;
    readonly read: (value: Scalar) => Scalar;
  };
  /** `value` of such an array as a value of the column, where that takes a cast of its own. */
  element(column: TableColumn, value: string): string;
}

export interface ContextOptions {
  readonly inline?: boolean;
  readonly qualified?: boolean;
}

export function compileContext(
  rules: SqlRules,
  renderQuery: CompileContext['renderQuery'],
  options: ContextOptions = {},
): CompileContext {
  const { inline = false, qualified = true } = options;
  return {
    rules,
    renderQuery,
    parameters: [],
    path: [],
    common: [],
    scope: undefined,
    named: false,
    inline,
    qualified,
  };
}

/** Does `work` for what lies at `steps` from here. */
export function at<T>(context: CompileContext, steps: readonly PathStep[], work: () => T): T {
  context.path.push(...steps);
  const result = work();
  context.path.length -= steps.length;
  return result;
}

/** The placeholder of a new parameter whose value is found here. */
export function parameter(
  context: CompileContext,
  wire: WireKind | undefined,
  read?: (found: unknown) => Scalar,
): string {
  context.parameters.push({ path: [...context.path], wire, read });
  return context.rules.placeholder(context.parameters.length);
}

/** What a path leads to from `root`. */
export function follow(root: unknown, path: readonly PathStep[]): unknown {
  let found = root;
  for (const step of path) found = (found as Readonly<Record<PathStep, unknown>>)[step];
  return found;
}

/** The parameters of `statement`, in the order of the text. */
export function boundParameters(statement: unknown, parameters: readonly Parameter[]): Scalar[] {
  const values: Scalar[] = [];
  for (let i = 0; i < parameters.length; i++) {
    const { path, read } = parameters[i] as Parameter;
    const found = follow(statement, path);
    values.push(read === undefined ? (found as BindNode).value : read(found));
  }
  return values;
}

/** A path that leads nowhere would bind a wrong value some day: it is found out when the text is made. */
export function checkParameters(statement: unknown, parameters: readonly Parameter[]): void {
  for (const { path, read } of parameters) {
    const found = follow(statement, path);
    if (found === undefined || (read === undefined && (found as BindNode).kind !== 'bind')) {
      throw new CompileError(`The parameter at ${path.join('.')} cannot be found again.`);
    }
  }
}
