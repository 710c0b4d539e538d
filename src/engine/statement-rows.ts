// From a statement to its rows in the form asked for: compile or find the text, send it, and read what came, all at once
// or page by page.
import type { DriverStatement, Field } from '../driver/driver.ts';
import { UsageError } from '../errors/index.ts';
import type { ExpressionNode, InsertNode, SelectItem } from '../sql/expression-node.ts';
import { nodeOf } from '../sql/operand.ts';
import { NODE } from '../sql/phantom.ts';
import { statementNode } from '../sql/raw.ts';
import type { ResultShape } from '../sql/result-shape.ts';
import { objectRows, type RowMaker, scalarRows, tupleRows } from '../sql/row-maker.ts';
import type { Statement } from '../sql/statement.ts';
import type { StatementNode } from '../sql/node.ts';
import type { Scalar } from '../types/wire.ts';
import type { CompileCache } from '../dialect/compile-cache.ts';
import type { ExecuteOptions, Executor } from './executor.ts';
import { returningKeys } from './rows/inserted-keys.ts';
import type { StatementSettings } from './options/execution-options.ts';
import type { InsertFact, RowForm, RowSource, StatementFacts } from './result.ts';
import { RowCollector } from './row-collector.ts';
import type { Paging, RowPages } from './rows/row-stream.ts';

/** How a statement runs, and who asked. */
export interface RunOptions extends ExecuteOptions, StatementSettings {}

type AnyStatement = Pick<Statement<unknown, unknown, unknown, boolean>, typeof NODE>;

/** What the two kinds of statements have in common. */
abstract class Rows implements RowSource {
  protected readonly executor: Executor;
  protected readonly options: RunOptions;

  constructor(executor: Executor, options: RunOptions) {
    this.executor = executor;
    this.options = options;
  }

  abstract rows(form: RowForm, facts: StatementFacts): Promise<unknown[]>;
  abstract pages(form: RowForm): Promise<RowPages>;
  abstract inserted(what: InsertFact, facts: StatementFacts): Promise<unknown[]>;
  abstract positions(columns: readonly unknown[]): readonly number[];

  get paging(): Paging {
    const { settings } = this.executor;
    const { yieldPer = settings.yieldPer, maxRowBuffer = settings.maxRowBuffer } = this.options;
    return { yieldPer, maxRowBuffer };
  }

  protected async paged(statement: DriverStatement, form: RowForm, shape: ResultShape | undefined): Promise<RowPages> {
    const cursor = await this.executor.openCursor(statement, this.options);
    const make = MAKERS[form](shape ?? shapeOf(cursor.fields));
    return {
      next: async (count) => {
        const { rows, done } = await cursor.fetch(count);
        return { rows: rows.map((row) => make(row)), done };
      },
      close: () => cursor.close(),
    };
  }
}

/** A statement of the expression language, on an executor. */
export class StatementRows extends Rows {
  readonly #statement: AnyStatement;

  constructor(executor: Executor, statement: AnyStatement, options: RunOptions) {
    super(executor, options);
    this.#statement = statement;
  }

  rows(form: RowForm, facts: StatementFacts, node: StatementNode = statementNode(this.#statement)): Promise<unknown[]> {
    const compiled = this.#compiled.get(node, this.options.site);
    const answer = new RowCollector();
    return this.executor.submit([compiled.bind(node)], answer, this.options).then(() => {
      facts.count = answer.completion?.count;
      return made(answer, form, compiled.result);
    });
  }

  pages(form: RowForm): Promise<RowPages> {
    const node = statementNode(this.#statement);
    const compiled = this.#compiled.get(node, this.options.site);
    return this.paged(compiled.bind(node), form, compiled.result);
  }

  inserted(what: InsertFact, facts: StatementFacts): Promise<unknown[]> {
    return this.rows('objects', facts, returningKeys(statementNode(this.#statement), what));
  }

  positions(columns: readonly unknown[]): readonly number[] {
    const items = itemsOf(statementNode(this.#statement));
    return columns.map((column) => position(column, items));
  }

  get #compiled(): CompileCache {
    const { schemaTranslateMap } = this.options;
    const { compiled } = this.executor;
    return schemaTranslateMap === undefined ? compiled : compiled.translated(schemaTranslateMap);
  }
}

/** A statement as the driver takes it. */
export class DriverRows extends Rows {
  readonly #make: () => DriverStatement;

  constructor(executor: Executor, make: () => DriverStatement, options: RunOptions) {
    super(executor, options);
    this.#make = make;
  }

  rows(form: RowForm, facts: StatementFacts): Promise<unknown[]> {
    const answer = new RowCollector();
    return this.executor.submit([this.#make()], answer, this.options).then(() => {
      facts.count = answer.completion?.count;
      return made(answer, form, undefined);
    });
  }

  pages(form: RowForm): Promise<RowPages> {
    return this.paged(this.#make(), form, undefined);
  }

  inserted(): Promise<unknown[]> {
    throw new UsageError('What raw SQL inserted is not known.', { hint: 'Write RETURNING and read the rows.' });
  }

  positions(columns: readonly unknown[]): readonly number[] {
    return columns.map((column) => {
      if (typeof column === 'number') return column;
      throw new UsageError('Columns of raw SQL are picked by their place, counted from 0.');
    });
  }
}

const MAKERS: { readonly [F in RowForm]: (shape: ResultShape) => RowMaker } = {
  objects: objectRows,
  tuples: tupleRows,
  scalars: scalarRows,
};

function made({ received, columns }: RowCollector, form: RowForm, shape: ResultShape | undefined): unknown[] {
  if (received.length === 0) return received;
  const make = MAKERS[form](shape ?? shapeOf(columns ?? []));
  const rows: unknown[] = received;
  for (let index = 0; index < rows.length; index += 1) rows[index] = make(received[index] as Scalar[]);
  return rows;
}

const shapes = new WeakMap<readonly Field[], ResultShape>();

/** The shape of rows nobody described but the server. */
export function shapeOf(columns: readonly Field[]): ResultShape {
  let shape = shapes.get(columns);
  if (shape === undefined) {
    const items = columns.map(({ name }, index) => ({ kind: 'value' as const, key: name, index, type: undefined }));
    shape = Object.freeze({ key: '', items });
    shapes.set(columns, shape);
  }
  return shape;
}

/** What a statement selects or returns. */
function itemsOf(node: StatementNode): readonly SelectItem[] {
  const { items, compound, returning } = node as Partial<InsertNode> & {
    readonly items?: readonly SelectItem[];
    readonly compound?: { readonly first: { readonly items: readonly SelectItem[] } } | undefined;
  };
  return compound?.first.items ?? items ?? returning ?? [];
}

function position(wanted: unknown, items: readonly SelectItem[]): number {
  const found = items.flatMap((item, index) => (isMeant(wanted, item, index) ? [index] : []));
  const name = typeof wanted === 'string' || typeof wanted === 'number' ? `Column ${wanted}` : 'This column';
  if (found.length === 0) throw new UsageError(`${name} was not selected.`);
  if (found.length > 1) {
    throw new UsageError(`${name} was selected more than once.`, {
      hint: 'Pick it by its attribute, or by its place.',
    });
  }
  return found[0] as number;
}

function isMeant(wanted: unknown, item: SelectItem, index: number): boolean {
  if (typeof wanted === 'number') return wanted === index;
  if (typeof wanted === 'string') return wanted === item.key;
  if (item.kind !== 'value') return false;
  const node = nodeOf(wanted) as ExpressionNode | undefined;
  if (node === undefined) throw new UsageError('A column is picked by its attribute, its name or its place.');
  return bare(node).key === bare(item.node).key;
}

/** Without the name a select gave it. */
function bare(node: ExpressionNode): ExpressionNode {
  return node.kind === 'label' ? bare((node as { readonly operand: ExpressionNode }).operand) : node;
}
