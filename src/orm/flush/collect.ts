// From entities to rows: what a flush would write, as the plan's input. Values leave their JavaScript form here, so
// that a wrong one is refused, by column, before anything is sent.
import { FlushError } from '../../errors/index.ts';
import type { ExpressionNode } from '../../sql/expression-node.ts';
import { attribute } from '../../sql/attribute.ts';
import type { BulkConstant } from '../../sql/bulk.ts';
import type { TableColumn } from '../../sql/from.ts';
import { nodeOf } from '../../sql/operand.ts';
import { defaultValue } from '../../sql/statements/write.ts';
import { encodeValue } from '../../types/encode.ts';
import type { Scalar } from '../../types/wire.ts';
import type { Baseline } from '../entity/baseline.ts';
import type { EntityState } from '../entity/entity-state.ts';
import type { Mapper } from '../mapping/mapper.ts';
import type { ExpressionSource } from './expression-source.ts';
import { KeyCells } from './key-cells.ts';
import type { Cell, RowChange, RowShape, ShapeCache } from './row-change.ts';
import { columnsAt, RowShapes } from './row-shapes.ts';

/** What is to be written. */
export interface Pending {
  readonly added: readonly EntityState[];
  readonly changed: readonly EntityState[];
  readonly deleted: readonly EntityState[];
}

export interface CollectOptions {
  readonly shapes: ShapeCache;
  /** Whether the row was read in this transaction: then it is written without asking what it was. */
  readonly isFresh: (state: EntityState) => boolean;
  /** Guard nothing. */
  readonly overwrite: boolean;
}

/** The changes, new rows in the order they were added, then updates and deletes by key. */
export class Collector {
  readonly #options: CollectOptions;
  readonly #keys: KeyCells;
  readonly #shapes: RowShapes;
  /** By column, of the new row at hand. */
  readonly #isSet: boolean[] = [];

  constructor(options: CollectOptions) {
    this.#options = options;
    this.#keys = new KeyCells();
    this.#shapes = new RowShapes(options.shapes);
  }

  collect({ added, changed, deleted }: Pending): RowChange[] {
    for (const state of added) this.#keys.announce(state);
    const rows: RowChange[] = [];
    for (const state of added) rows.push(this.#insert(state));
    for (const state of [...changed].sort(byKey)) {
      const row = this.#update(state);
      if (row !== undefined) rows.push(row);
    }
    for (const state of [...deleted].sort(byKey)) rows.push(this.#delete(state));
    return rows;
  }

  /** The key of an entity, for rows that are not entities themselves but refer to one. */
  keyCells(state: EntityState, indexes: readonly number[]): readonly Cell[] {
    return indexes.map((index) => this.#keys.cell(state, index));
  }

  #insert(state: EntityState): RowChange {
    const { mapper } = state;
    const foreign = this.#keys.foreignCells(state);
    const values: Cell[] = [];
    let expressions: Map<TableColumn, ExpressionSource> | undefined;
    for (let index = 0; index < mapper.columns.length; index++) {
      const expression = expressionFor(state, index);
      const cell = expression === undefined ? insertCell(state, index, foreign) : undefined;
      if (expression !== undefined) {
        expressions ??= new Map();
        expressions.set(mapper.columns[index] as TableColumn, expressionSource(expression));
      }
      this.#isSet[index] = cell !== undefined;
      if (cell !== undefined) values.push(cell);
    }
    const shape = this.#shapes.insert(mapper, this.#isSet);
    if (expressions === undefined) return this.#fill(state, shape, { values });
    return this.#row(state, shape, { values, expressions });
  }

  #update(state: EntityState): RowChange | undefined {
    const { mapper } = state;
    const foreign = this.#keys.foreignCells(state);
    const set = new Map<number, Cell>();
    const expressions = new Map<TableColumn, ExpressionSource>();
    mapper.columns.forEach((column, index) => {
      const expression = expressionFor(state, index);
      const key = foreign.get(index);
      if (expression !== undefined) expressions.set(column, expressionSource(expression));
      else if (key !== undefined) set.set(index, key);
      else if (mapper.format.columnDiffers(state.entity, state.baseline as Baseline, index)) {
        refuseComputed(state, column);
        set.set(index, ownCell(state, index) as Cell);
      }
    });
    if (set.size === 0 && expressions.size === 0) return undefined;
    const changed = [...set.keys()];
    const constants: BulkConstant[] = [];
    for (const [index, column] of mapper.columns.entries()) {
      if (!set.has(index) && !expressions.has(column)) onUpdate(mapper, { index, column, set, constants });
    }
    const guard = this.#guard(state, changed);
    this.#countVersion(state, set, expressions);
    const indexes = [...set.keys()].sort((a, b) => a - b);
    const values = [
      ...indexes.map((index) => set.get(index) as Cell),
      ...storedKey(state),
      ...storedCells(state, guard),
    ];
    if (expressions.size + constants.length === 0) {
      return this.#fill(state, this.#shapes.update(mapper, indexes, guard), { values });
    }
    const shape = {
      action: 'update' as const,
      set: columnsAt(mapper, indexes),
      match: mapper.planMapper.primaryKey,
      guard: columnsAt(mapper, guard),
      returning: [...expressions.keys(), ...constants.map(({ column }) => column)],
      constants,
    };
    return this.#row(state, shape, { values, expressions });
  }

  #delete(state: EntityState): RowChange {
    const { mapper } = state;
    const all = [...mapper.columns.keys()].filter(
      (index) => !mapper.primaryKey.includes(index) && comparable(mapper, index),
    );
    const guard = this.#guard(state, all);
    const shape = {
      action: 'delete' as const,
      set: [],
      match: mapper.planMapper.primaryKey,
      guard: guard.map((index) => mapper.columns[index] as TableColumn),
      returning: [],
    };
    return this.#row(state, shape, {
      values: [...storedKey(state), ...storedCells(state, guard)],
      expressions: new Map(),
    });
  }

  /** The columns that must still hold what was read: of the ones given, or the version alone. */
  #guard(state: EntityState, indexes: readonly number[]): readonly number[] {
    const { mapper } = state;
    if (this.#options.overwrite) return [];
    const baseline = state.baseline as Baseline;
    if (mapper.versionIndex !== -1 && baseline[mapper.versionIndex] !== undefined) return [mapper.versionIndex];
    if (this.#options.isFresh(state)) return [];
    return indexes.filter((index) => baseline[index] !== undefined && !mapper.primaryKey.includes(index));
  }

  #countVersion(state: EntityState, set: Map<number, Cell>, expressions: Map<TableColumn, ExpressionSource>): void {
    const { mapper } = state;
    const index = mapper.versionIndex;
    if (index === -1 || set.has(index)) return;
    const column = mapper.columns[index] as TableColumn;
    const stored = mapper.format.wire(state.baseline as Baseline, index);
    if (this.#options.overwrite || stored === undefined || stored === null) {
      const next = attribute(mapper.table, column) as unknown as { plus(n: unknown): object };
      expressions.set(column, expressionSource(next.plus(typeof stored === 'bigint' ? 1n : 1)));
    } else set.set(index, typeof stored === 'bigint' ? stored + 1n : Number(stored) + 1);
  }

  #row(
    state: EntityState,
    shape: Omit<RowShape, 'key' | 'table'>,
    {
      values,
      expressions,
    }: { readonly values: readonly Cell[]; readonly expressions: ReadonlyMap<TableColumn, ExpressionSource> },
  ): RowChange {
    const extra =
      expressions.size === 0 ? '' : [...expressions].map(([column, { key }]) => `${column.name} ${key}`).join();
    const interned = this.#options.shapes.intern({ ...shape, table: state.mapper.table }, extra);
    return this.#fill(state, interned, { values, expressions: expressions.size === 0 ? undefined : expressions });
  }

  #fill(
    state: EntityState,
    shape: RowShape,
    { values, expressions }: Pick<RowChange, 'values' | 'expressions'>,
  ): RowChange {
    const row = this.#keys.rowOf(state);
    row.mapper = state.mapper.planMapper;
    row.shape = shape;
    row.values = values;
    row.stored = shape.action === 'delete' ? storedRow(state) : undefined;
    row.expressions = expressions;
    row.source = state;
    row.sources = state.sources;
    return row;
  }
}

/** What is sent for a column of a new row; `undefined` where the database decides. NULL that was asked for is NULL. */
function insertCell(state: EntityState, index: number, foreign: ReadonlyMap<number, Cell>): Cell | undefined {
  const key = foreign.size === 0 ? undefined : foreign.get(index);
  if (key !== undefined) return key;
  const own = ownCell(state, index);
  return own === undefined ? absentCell(state.mapper, index) : own;
}

/** The expression assigned to a column, unless a value was assigned after it. */
function expressionFor({ entity, mapper, expressions }: EntityState, index: number): object | undefined {
  return expressions === undefined || Object.hasOwn(entity, mapper.keys[index] as string)
    ? undefined
    : expressions.get(index);
}

/** What the entity itself has in a column, in wire form; `undefined` where it has nothing. */
function ownCell({ entity, mapper }: EntityState, index: number): Scalar | undefined {
  const column = mapper.columns[index] as TableColumn;
  if (column.computed !== undefined || !Object.hasOwn(entity, column.key)) return undefined;
  const value = (entity as Record<string, unknown>)[column.key];
  return encodeValue(column.type, value, mapper.targets[index]);
}

/** What a new row gets where the entity has nothing; `undefined` where the database decides. */
export function absentCell(mapper: Mapper, index: number): Scalar | undefined {
  const column = mapper.columns[index] as TableColumn;
  const { default: given, nullable } = column;
  if (column.computed !== undefined || column.serverDefault !== undefined) return undefined;
  if (given !== undefined && given.kind !== 'expression') {
    return encodeValue(column.type, defaultValue(given), mapper.targets[index]);
  }
  if (given !== undefined || column.autoincrement === true) return undefined;
  if (nullable) return null;
  throw new FlushError(
    `${mapper.entityClass.name}.${column.key} has no value, and the column has neither a default nor allows NULL.`,
    {
      hint: 'Set it before the flush. For a foreign key, set the relation or add the entity to the list of its parent.',
    },
  );
}

interface UpdateParts {
  readonly index: number;
  readonly column: TableColumn;
  readonly set: Map<number, Cell>;
  readonly constants: BulkConstant[];
}

function onUpdate(mapper: Mapper, { index, column, set, constants }: UpdateParts): void {
  const given = column.onUpdate;
  if (given === undefined) return;
  if (given.kind === 'expression') constants.push({ column, value: given.expression });
  else set.set(index, encodeValue(column.type, defaultValue(given), mapper.targets[index]));
}

/** Accepts what `assign` was given (an expression object) and what a column holds (its node). */
function expressionSource(expression: object): ExpressionSource {
  const node = (nodeOf(expression) ?? expression) as ExpressionNode;
  return { key: node.key, expression: node };
}

function storedKey(state: EntityState): Cell[] {
  return storedCells(state, state.mapper.primaryKey);
}

function storedCells({ mapper, baseline }: EntityState, indexes: readonly number[]): Cell[] {
  return indexes.map((index) => mapper.format.wire(baseline as Baseline, index) ?? null);
}

function storedRow({ mapper, baseline }: EntityState): readonly (Scalar | undefined)[] {
  // Only rows inside circles of tables need it, and those need the columns of foreign keys.
  return mapper.table.foreignKeys.length === 0
    ? []
    : mapper.columns.map((_, index) => mapper.format.wire(baseline as Baseline, index));
}

/** JSON has no equality every database agrees on, nor may a type of the user's; a float may not come back as it went. */
function comparable(mapper: Mapper, index: number): boolean {
  const { type, computed } = mapper.columns[index] as TableColumn;
  const codec = type.compare === 'encoded' && type.decode !== undefined;
  return computed === undefined && type.compare !== 'json' && !codec && type.wire !== 'float';
}

function refuseComputed(state: EntityState, column: TableColumn): void {
  if (column.computed === undefined) return;
  throw new FlushError(
    `${state.mapper.entityClass.name}.${column.key} is computed by the database and was assigned to.`,
  );
}

function byKey(a: EntityState, b: EntityState): number {
  const [left, right] = [a.key, b.key];
  if (left === right || left === undefined || right === undefined) return 0;
  return left < right ? -1 : 1;
}
