// The coarse order of a flush: by table. Parents are saved before their children, children deleted before their
// parents, and each table's rows saved before any are deleted.
import { orderedComponents } from '../../primitives/graph.ts';
import type { PlanMapper, RowChange } from './row-change.ts';

/** All saves, or all deletes, of one table. */
export interface RowGroup {
  readonly mapper: PlanMapper;
  readonly deletes: boolean;
  readonly rows: RowChange[];
}

/** Groups that can be written one after the other, or that hang together in a circle and must be taken row by row. */
export interface GroupSet {
  readonly groups: readonly RowGroup[];
  readonly circular: boolean;
}

export function orderGroups(changes: readonly RowChange[]): readonly GroupSet[] {
  const groups = collectGroups(changes);
  const [first] = groups;
  if (first !== undefined && groups.length === 1) return [{ groups, circular: mustPrecede(first, first) }];
  const edges = groups.map((group) => successors(group, groups));
  return orderedComponents({ size: groups.length, edges }).map((nodes) => ({
    groups: nodes.map((node) => groups[node] as RowGroup),
    circular: nodes.length > 1 || (edges[nodes[0] as number] as Set<number>).has(nodes[0] as number),
  }));
}

/** Sorted by name, saves first: equal flushes take tables in equal order in every process, which keeps deadlocks away. */
function collectGroups(changes: readonly RowChange[]): readonly RowGroup[] {
  const found = new Map<PlanMapper, { save?: RowGroup; delete?: RowGroup }>();
  let group: RowGroup | undefined;
  for (const change of changes) {
    const deletes = change.shape.action === 'delete';
    if (group === undefined || group.mapper !== change.mapper || group.deletes !== deletes) {
      const pair = found.get(change.mapper) ?? {};
      found.set(change.mapper, pair);
      const kind = deletes ? 'delete' : 'save';
      pair[kind] ??= { mapper: change.mapper, deletes, rows: [] };
      group = pair[kind];
    }
    group.rows.push(change);
  }
  const groups = [...found.values()].flatMap((pair) => [pair.save, pair.delete].filter((group) => group !== undefined));
  return groups.sort((a, b) =>
    a.deletes === b.deletes ? compareText(nameOf(a.mapper), nameOf(b.mapper)) : a.deletes ? 1 : -1,
  );
}

function successors(group: RowGroup, groups: readonly RowGroup[]): Set<number> {
  const after = new Set<number>();
  groups.forEach((other, index) => {
    if (mustPrecede(group, other)) after.add(index);
  });
  return after;
}

function mustPrecede(first: RowGroup, second: RowGroup): boolean {
  if (!first.deletes && second.deletes) {
    return first.mapper === second.mapper || refersTo(first.mapper, second.mapper);
  }
  if (first.deletes !== second.deletes) return false;
  return first.deletes ? refersTo(first.mapper, second.mapper) : refersTo(second.mapper, first.mapper);
}

function refersTo(mapper: PlanMapper, target: PlanMapper): boolean {
  return mapper.foreignKeys.some((key) => key.target === target.table);
}

function nameOf({ table }: PlanMapper): string {
  return `${table.schema ?? ''}.${table.name}`;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
