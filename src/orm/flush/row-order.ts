// The fine order inside a circle of tables: row by row, gathered again into layers, so that a tree of n levels costs n
// batches. Two rows that need each other are parted where a column may be NULL for a moment; where none may, the flush
// is refused before anything is sent.
import { CircularDependencyError } from '../../errors/index.ts';
import { layers, strongComponents } from '../../primitives/graph.ts';
import type { TableColumn } from '../../sql/from.ts';
import type { Scalar } from '../../types/wire.ts';
import { type IdentityKey, identityKey } from '../entity/identity-key.ts';
import type { RowGroup } from './mapper-order.ts';
import {
  type Cell,
  KeyRef,
  type PlanForeignKey,
  type PlanMapper,
  type RowChange,
  type ShapeCache,
} from './row-change.ts';
import { keyCells, knownKey } from './row-switch.ts';

/** `from` must run before `to`; through which foreign key, if the two could be parted there. */
interface RowEdge {
  readonly from: number;
  readonly to: number;
  readonly key: PlanForeignKey | undefined;
}

/** Values that differ from those a row came with, because it was parted from another. */
export type Overrides = Map<RowChange, readonly Cell[]>;

interface OpenEdge extends RowEdge {
  readonly key: PlanForeignKey;
}

/** Adds to `overrides` what it had to change; the rows given stay as they are. */
export function orderRows(
  groups: readonly RowGroup[],
  shapes: ShapeCache,
  overrides: Overrides,
): readonly (readonly RowChange[])[] {
  const rows = groups.flatMap((group) => group.rows);
  const deletes = (groups[0] as RowGroup).deletes;
  for (;;) {
    const edges = deletes ? deleteEdges(rows) : saveEdges(rows, overrides);
    const graph = { size: rows.length, edges: rows.map(() => new Set<number>()) };
    for (const edge of edges) graph.edges[edge.from]?.add(edge.to);
    const found = layers(graph);
    if (found.stuck.length === 0) return found.layers.map((layer) => layer.map((index) => rows[index] as RowChange));
    for (const open of openEdges(rows, edges, strongComponents(graph))) {
      if (deletes) partDelete(rows, open, shapes);
      else partInsert(rows, open, { shapes, overrides });
    }
  }
}

function saveEdges(rows: readonly RowChange[], overrides: Overrides): RowEdge[] {
  const byRow = new Map(rows.map((row, index) => [row, index]));
  const added = indexByKey(rows, 'insert');
  const edges: RowEdge[] = [];
  rows.forEach((row, to) => {
    const values = overrides.get(row) ?? row.values;
    values.forEach((cell, at) => {
      if (!(cell instanceof KeyRef)) return;
      const from = byRow.get(cell.row);
      if (from !== undefined) edges.push({ from, to, key: parting(row, row.shape.set[at]) });
    });
    for (const key of row.mapper.foreignKeys) {
      const value = valuesOf(row.shape.set, values, key.columns);
      const from = value === undefined ? undefined : added.get(key.target.key)?.get(value);
      // A row that points at itself with a key it already knows is no obstacle to the database.
      if (from !== undefined && from !== to) edges.push({ from, to, key: parting(row, key.columns[0]) });
    }
    const own = row.shape.action === 'update' ? ownRow(added, row) : undefined;
    if (own !== undefined) edges.push({ from: own, to, key: undefined });
  });
  return edges;
}

function deleteEdges(rows: readonly RowChange[]): RowEdge[] {
  const gone = indexByKey(rows, 'delete');
  const edges: RowEdge[] = [];
  rows.forEach((row, index) => {
    for (const key of row.mapper.foreignKeys) {
      const value = row.stored === undefined ? undefined : storedKey(row, key.columns);
      const parent = value === undefined ? undefined : gone.get(key.target.key)?.get(value);
      if (parent === undefined || parent === index) continue;
      const apart = row.shape.action === 'delete' && nullable(key, row.mapper);
      edges.push({ from: index, to: parent, key: apart ? key : undefined });
    }
    const own = row.shape.action === 'update' ? ownRow(gone, row) : undefined;
    if (own !== undefined) edges.push({ from: index, to: own, key: undefined });
  });
  return edges;
}

type KeyIndex = Map<string, Map<IdentityKey, number>>;

function ownRow(index: KeyIndex, row: RowChange): number | undefined {
  const key = knownKey(row);
  return key === undefined ? undefined : index.get(row.mapper.table.key)?.get(key);
}

function indexByKey(rows: readonly RowChange[], action: 'insert' | 'delete'): KeyIndex {
  const found: KeyIndex = new Map();
  rows.forEach((row, index) => {
    const key = row.shape.action === action ? knownKey(row) : undefined;
    if (key === undefined) return;
    const table = found.get(row.mapper.table.key) ?? new Map<IdentityKey, number>();
    found.set(row.mapper.table.key, table.set(key, index));
  });
  return found;
}

/** The foreign key an insert could leave empty at first, if `column` belongs to one. */
function parting(row: RowChange, column: TableColumn | undefined): PlanForeignKey | undefined {
  if (row.shape.action !== 'insert' || column === undefined) return undefined;
  return row.mapper.foreignKeys.find((key) => key.columns.includes(column) && nullable(key, row.mapper));
}

function nullable(key: PlanForeignKey, mapper: PlanMapper): boolean {
  return key.columns.every((column) => column.nullable && !mapper.primaryKey.includes(column));
}

function valuesOf(
  set: readonly TableColumn[],
  cells: readonly Cell[],
  columns: readonly TableColumn[],
): IdentityKey | undefined {
  const values: Scalar[] = [];
  for (const column of columns) {
    const cell = cells[set.indexOf(column)];
    if (cell === undefined || cell instanceof KeyRef) return undefined;
    values.push(cell);
  }
  return identityKey(values);
}

function storedKey(row: RowChange, columns: readonly TableColumn[]): IdentityKey | undefined {
  const stored = row.stored as readonly (Scalar | undefined)[];
  return identityKey(columns.map((column) => stored[row.mapper.table.columns.indexOf(column)] ?? null));
}

/** For each knot of rows one dependency at which it can be opened; refuses where there is none. */
function openEdges(
  rows: readonly RowChange[],
  edges: readonly RowEdge[],
  components: readonly (readonly number[])[],
): Iterable<OpenEdge> {
  const home = new Map<number, number>();
  components.forEach((nodes, component) => {
    for (const node of nodes) home.set(node, component);
  });
  const onCircle = edges.filter((edge) => home.get(edge.from) === home.get(edge.to));
  const open = new Map<number | undefined, OpenEdge>();
  for (const edge of onCircle) {
    const knot = home.get(edge.from);
    if (edge.key !== undefined && !open.has(knot)) open.set(knot, { ...edge, key: edge.key });
  }
  const closed = onCircle.filter((edge) => !open.has(home.get(edge.from)));
  if (closed.length > 0) throw circle(rows, closed);
  return open.values();
}

/** INSERT with NULL, and an UPDATE that fills it once both rows are there. */
function partInsert(
  rows: RowChange[],
  { to: index, key }: OpenEdge,
  { shapes, overrides }: { readonly shapes: ShapeCache; readonly overrides: Overrides },
): void {
  const row = rows[index] as RowChange;
  const values = overrides.get(row) ?? row.values;
  const at = key.columns.map((column) => row.shape.set.indexOf(column));
  const filled = at.map((position) => values[position] as Cell);
  // The row keeps its identity, for others refer to it.
  overrides.set(
    row,
    values.map((cell, position) => (at.includes(position) ? null : cell)),
  );
  const own = keyCells(row) ?? row.mapper.primaryKey.map((column) => new KeyRef(row, column));
  const shape = shapes.intern({
    table: row.mapper.table,
    action: 'update',
    set: key.columns,
    match: row.mapper.primaryKey,
    guard: [],
    returning: [],
  });
  rows.push({ mapper: row.mapper, shape, values: [...filled, ...own], stored: undefined, source: undefined });
}

/** An UPDATE that empties the column before either row is deleted. */
function partDelete(rows: RowChange[], { from: index, key }: OpenEdge, shapes: ShapeCache): void {
  const row = rows[index] as RowChange;
  const { shape } = row;
  const guard = shape.guard.filter((column) => !key.columns.includes(column));
  const kept = shape.guard.map((column, at) => [column, row.values[shape.match.length + at] as Cell] as const);
  const match = row.values.slice(0, shape.match.length);
  const stored = row.stored as readonly (Scalar | undefined)[];
  rows[index] = {
    ...row,
    shape: shapes.intern({
      table: row.mapper.table,
      action: 'delete',
      set: [],
      match: shape.match,
      guard,
      returning: [],
    }),
    values: [...match, ...kept.filter(([column]) => guard.includes(column)).map(([, cell]) => cell)],
    stored: stored.map((value, at) =>
      key.columns.includes(row.mapper.table.columns[at] as TableColumn) ? null : value,
    ),
  };
  const emptied = shapes.intern({
    table: row.mapper.table,
    action: 'update',
    set: key.columns,
    match: shape.match,
    guard: [],
    returning: [],
  });
  rows.push({
    mapper: row.mapper,
    shape: emptied,
    values: [...key.columns.map(() => null), ...match],
    stored,
    source: undefined,
  });
}

function circle(rows: readonly RowChange[], edges: readonly RowEdge[]): CircularDependencyError {
  const names = new Set(
    edges.map((edge) => {
      const [from, to] = [rows[edge.from] as RowChange, rows[edge.to] as RowChange];
      return `${to.mapper.table.name} needs ${from.mapper.table.name}`;
    }),
  );
  return new CircularDependencyError(
    `${new Set(edges.flatMap((edge) => [edge.from, edge.to])).size} rows depend on each other in a circle: ${[...names].join(', ')}.`,
    {
      hint: 'Make one of the foreign key columns nullable: the rows are then written with NULL first and joined by an UPDATE. Or set one of the relations in a second flush.',
    },
  );
}
