// `insert(...)`: rows, or the rows of a select. Uniform rows of plain values share one text whatever their number.
import { CompileError, NOT_TRANSFERABLE, type TransferGuard, transferGuard, UsageError } from '../../errors/index.ts';
import type { Scalar } from '../../types/wire.ts';
import { aliasElement } from '../alias.ts';
import { attributes } from '../attribute.ts';
import type { AnyEntity } from '../entity.ts';
import type { AnyAttr } from '../expr.ts';
import { keyed, keyedList, usedBy } from '../expression-factory.ts';
import type {
  ConflictNode,
  ExpressionNode,
  InsertNode,
  InsertSource,
  Reach,
  SelectItem,
  SelectNode,
} from '../expression-node.ts';
import type { FromElement, TableColumn, TableElement } from '../from.ts';
import { expressionNode, nodeOf, selectNode } from '../operand.ts';
import { type KIND, NODE, type TARGET } from '../phantom.ts';
import type { Item } from '../rows.ts';
import type { Select } from './select.ts';
import { identityPattern, tablesOf } from './select-factory.ts';
import { selectItems } from './select-item.ts';
import type { InsertValues, SetOf } from './settable.ts';
import type { Statement } from '../statement.ts';
import {
  assignments,
  assignmentsKey,
  columnScalar,
  columnValue,
  defaultValue,
  returningKey,
  tableOf,
  writableColumn,
} from './write.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- what it selects is not looked at
type AnyTypedSelect = Select<any, any, any>;

/** An INSERT into `E` that returns `A`. */
export interface Insert<out E, out A = never> extends Statement<A, never, never, true> {
  readonly [TARGET]: E;
  readonly [KIND]: 'insert';
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  values<E2>(this: Insert<E2, any>, v: InsertValues<E2> | readonly InsertValues<E2>[]): this;
  /** Columns are matched by the names of the select. */
  fromSelect(q: AnyTypedSelect): this;
  onConflictDoNothing(target?: readonly AnyAttr[]): this;
  onConflictDoUpdate<E2>(
    // oxlint-disable-next-line typescript/no-explicit-any -- as above
    this: Insert<E2, any>,
    o: { target: readonly AnyAttr[]; set: (excluded: E2 extends { readonly c: infer C } ? C : never) => SetOf<E2> },
  ): this;
  returning<R extends AnyEntity>(entity: R): Insert<E, [R]>;
  returning<R extends readonly [Item, ...Item[]]>(...items: R): Insert<E, R>;
}

/** Writes new rows to a table. */
export function insert<E extends AnyEntity>(entity: E): Insert<E> {
  const table = tableOf(entity);
  return new InsertBuilder({
    table,
    rows: [{}],
    query: undefined,
    conflict: undefined,
    returning: [],
  }) as unknown as Insert<E>;
}

interface InsertDraft {
  readonly table: TableElement;
  readonly rows: readonly object[];
  readonly query: SelectNode | undefined;
  readonly conflict: ConflictNode | undefined;
  readonly returning: readonly SelectItem[];
}

const GUARD: TransferGuard = transferGuard('An insert', 'Send the values, and build it where it runs.');

class InsertBuilder {
  readonly [NOT_TRANSFERABLE]: TransferGuard = GUARD;
  readonly #draft: InsertDraft;

  constructor(draft: InsertDraft) {
    this.#draft = draft;
  }
  /** Made anew each time: defaults that are functions are called for each execution. */
  get [NODE](): InsertNode {
    return makeInsert(this.#draft);
  }
  toJSON(): Record<string, unknown> {
    return GUARD.json({ table: this.#draft.table.name });
  }
  values(given: object | readonly object[]): InsertBuilder {
    const rows = Array.isArray(given) ? given : [given];
    if (rows.length === 0) throw new UsageError('values() was given no rows.', { hint: 'Skip the insert.' });
    return new InsertBuilder({ ...this.#draft, rows, query: undefined });
  }
  fromSelect(query: unknown): InsertBuilder {
    return new InsertBuilder({ ...this.#draft, rows: [], query: selectNode(query) });
  }
  onConflictDoNothing(target: readonly unknown[] = []): InsertBuilder {
    return new InsertBuilder({ ...this.#draft, conflict: { target: columnsOf(target), set: [] } });
  }
  onConflictDoUpdate(options: { target: readonly unknown[]; set: (excluded: object) => object }): InsertBuilder {
    const { table } = this.#draft;
    const set = assignments(table, options.set(attributes(aliasElement(table, 'excluded'))));
    if (set.length === 0)
      throw new UsageError('onConflictDoUpdate() sets nothing.', { hint: 'Use onConflictDoNothing().' });
    return new InsertBuilder({ ...this.#draft, conflict: { target: columnsOf(options.target), set } });
  }
  returning(...items: unknown[]): InsertBuilder {
    return new InsertBuilder({ ...this.#draft, returning: selectItems(items) });
  }
}

function columnsOf(target: readonly unknown[]): readonly TableColumn[] {
  return target.map((one) => {
    const node = expressionNode(one);
    if (node.kind !== 'column') throw new UsageError('The target of a conflict is a list of columns.');
    return node.column as TableColumn;
  });
}

function makeInsert(draft: InsertDraft): InsertNode {
  const { table, conflict, returning } = draft;
  const { columns, source } =
    draft.query === undefined ? rowSource(table, draft.rows) : querySource(table, draft.query);
  const used = usedBy([
    ...(source.kind === 'values' ? source.rows.flat().filter((one) => one !== undefined) : []),
    ...(conflict?.set ?? []).map(({ value }) => value),
    ...returning.flatMap((item) => (item.kind === 'value' ? [item.node] : [])),
  ]);
  const nested = [...(draft.query?.reach.elements ?? []), ...(used.reach?.elements ?? [])];
  const reach: Reach = {
    elements: [table, ...nested],
    raw: (draft.query?.reach.raw ?? false) || (used.reach?.raw ?? false),
  };
  const key = `J${table.key}${keyedList(columns.map(({ name }) => ({ key: keyed(name) })))}${sourceKey(source)}`;
  return Object.freeze({
    kind: 'insert' as const,
    key: `${key}${conflictKey(conflict)}${returningKey(returning)}${identityPattern(nested)};`,
    table,
    columns,
    source,
    conflict,
    returning,
    get tables(): readonly FromElement[] | undefined {
      return tablesOf(reach);
    },
  });
}

function conflictKey(conflict: ConflictNode | undefined): string {
  if (conflict === undefined) return '-';
  return `K${keyedList(conflict.target.map(({ name }) => ({ key: keyed(name) })))}${assignmentsKey(conflict.set)}`;
}

function sourceKey(source: InsertSource): string {
  switch (source.kind) {
    case 'rows':
      return source.rows.length === 1 ? '1' : 'm';
    case 'values':
      return `v${source.rows.length}[${source.rows.map((row) => row.map((one) => one?.key ?? '-').join('')).join('')}`;
    case 'query':
      return source.query.key;
  }
}

interface Sourced {
  readonly columns: readonly TableColumn[];
  readonly source: InsertSource;
}

function querySource(table: TableElement, query: SelectNode): Sourced {
  const columns = query.items.map((item) => {
    if (item.kind === 'entity')
      throw new CompileError('fromSelect() takes a select of columns, not of whole entities.');
    return writableColumn(table, item.key);
  });
  return { columns, source: { kind: 'query', query } };
}

function rowSource(table: TableElement, given: readonly object[]): Sourced {
  const rows = given.map((row) => givenValues(table, row));
  const columns = table.columns.filter((column) => rows.some((row) => row.has(column)) || fillsIn(column));
  for (const row of rows) fillDefaults(columns, row);
  const plain = rows.every((row) =>
    columns.every((column) => row.has(column) && nodeOf(row.get(column)) === undefined),
  );
  if (plain) {
    const scalars = rows.map((row) => columns.map((column) => columnScalar(table, column, row.get(column))));
    return { columns, source: { kind: 'rows', rows: scalars as Scalar[][] } };
  }
  const nodes = rows.map((row) =>
    columns.map((column): ExpressionNode | undefined =>
      row.has(column) ? columnValue(table, column, row.get(column)) : undefined,
    ),
  );
  return { columns, source: { kind: 'values', rows: nodes } };
}

function givenValues(table: TableElement, row: object): Map<TableColumn, unknown> {
  if (typeof row !== 'object' || row === null) throw new UsageError('values() takes objects.');
  const values = new Map<TableColumn, unknown>();
  for (const [key, value] of Object.entries(row)) {
    if (value !== undefined) values.set(writableColumn(table, key), value);
  }
  return values;
}

function fillsIn({ default: given }: TableColumn): boolean {
  return given !== undefined && given.kind !== 'expression';
}

function fillDefaults(columns: readonly TableColumn[], row: Map<TableColumn, unknown>): void {
  for (const column of columns) {
    const { default: given } = column;
    if (given !== undefined && given.kind !== 'expression' && !row.has(column)) row.set(column, defaultValue(given));
  }
}
