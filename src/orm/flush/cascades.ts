// What deleting one entity means for others: children go with their parent or lose their key, orphans go, rows of
// tables in between go. Runs to a fixed point before the plan is made.
import { FlushError } from '../../errors/index.ts';
import { stateOf } from '../entity/entity-root.ts';
import type { EntityState, ToManyValue } from '../entity/entity-state.ts';
import type { ForeignKeyLink, Mapper, Relation } from '../mapping/mapper.ts';
import { agrees, writeForeignKey } from '../relations/foreign-key.ts';
import { manyValue, setOne } from '../relations/link.ts';
import type { UnitOfWork } from '../session/unit-of-work.ts';

/** Those that left the list of a parent that owns them: new ones are forgotten, others deleted. */
export function takeOrphans(unit: UnitOfWork, changed: readonly EntityState[]): void {
  for (const state of Array.from(unit.pending)) if (state.orphaned) unit.release(state);
  for (const state of changed) if (state.orphaned) unit.doomed.add(state);
}

/** Lists that must be known before their owners can be deleted. */
export type ListLoad = (relation: Relation, owners: readonly EntityState[]) => Promise<void>;

/** Follows deletions to everything they concern, loading lists with `load`. */
export async function followDeletes(unit: UnitOfWork, load: ListLoad): Promise<void> {
  const done = new Set<EntityState>();
  for (let open = undone(unit, done); open.length > 0; open = undone(unit, done)) {
    for (const [relation, owners] of concerned(open)) {
      if (!isLeftToDatabase(relation)) await load(relation, owners);
    }
    follow(unit, open, done);
  }
}

/** The same over what is loaded, without asking the database: for a plan that is only shown. */
export function followLoadedDeletes(unit: UnitOfWork): void {
  const done = new Set<EntityState>();
  for (let open = undone(unit, done); open.length > 0; open = undone(unit, done)) follow(unit, open, done);
}

function undone(unit: UnitOfWork, done: ReadonlySet<EntityState>): EntityState[] {
  return [...unit.doomed].filter((state) => !done.has(state));
}

function follow(unit: UnitOfWork, open: readonly EntityState[], done: Set<EntityState>): void {
  for (const [relation, owners] of concerned(open)) {
    for (const owner of owners) {
      const items = owner.manys?.get(relation)?.items ?? [];
      if (relation.direction === 'through') unlinkAll(unit, manyValue(owner, relation), items);
      else {
        for (const item of Array.from(items)) {
          const child = stateOf(item);
          // The database may not know yet that it was given to another parent.
          if (child !== undefined && pointsAt(child, relation.link, owner)) partFrom(unit, relation, child);
        }
      }
    }
  }
  for (const state of open) done.add(state);
}

/** The lists of these entities, by relation: one load for many. */
function concerned(states: readonly EntityState[]): Map<Relation, EntityState[]> {
  const found = new Map<Relation, EntityState[]>();
  for (const state of states) {
    for (const relation of state.mapper.relations.values()) {
      if (relation.direction === 'parent') continue;
      found.set(relation, [...(found.get(relation) ?? []), state]);
    }
  }
  return found;
}

/** The database does it itself when the parent goes, and nothing in memory needs to be told. */
function isLeftToDatabase({ link, cascade }: Relation): boolean {
  return !cascade.delete && onDeleteOf(link) !== undefined && onDeleteOf(link) !== 'restrict';
}

function onDeleteOf(link: ForeignKeyLink): string | undefined {
  const key = link.child.table.foreignKeys.find(
    ({ columns }) =>
      columns.length === link.childIndexes.length &&
      columns.every((column, at) => column === link.child.columns[link.childIndexes[at] as number]),
  );
  return (key as { readonly onDelete?: string | undefined } | undefined)?.onDelete;
}

function pointsAt(child: EntityState, link: ForeignKeyLink, owner: EntityState): boolean {
  const source = child.sources?.get(link.childIndexes[0] as number);
  return (source === undefined || source.parent === owner) && agrees(child, link, owner);
}

function partFrom(unit: UnitOfWork, relation: Relation, child: EntityState): void {
  if (unit.doomed.has(child) || child.status === 'deleted') return;
  if (relation.cascade.delete) {
    if (child.status === 'pending') unit.release(child);
    else unit.doomed.add(child);
    return;
  }
  if (isLeftToDatabase(relation)) return;
  refuseOwnKey(relation.link, relation.link.child);
  const inverse = relation.inverse();
  if (inverse !== undefined) setOne(child, inverse, null);
  else writeForeignKey(child, relation, null);
}

function refuseOwnKey({ child, childIndexes }: ForeignKeyLink, mapper: Mapper): void {
  const blocked = childIndexes.find(
    (index) => child.primaryKey.includes(index) || child.columns[index]?.nullable === false,
  );
  if (blocked === undefined) return;
  const column = `${mapper.name}.${child.columns[blocked]?.name}`;
  throw new FlushError(`A deleted entity still has children whose ${column} cannot become NULL.`, {
    hint: "Give the list cascade: 'all, delete-orphan' so that they go with it, declare the key with onDelete, or delete them first.",
  });
}

function unlinkAll(unit: UnitOfWork, list: ToManyValue, items: readonly object[]): void {
  if (isLeftToDatabase(list.relation) || items.length === 0) return;
  for (const item of items) if (!list.added.delete(item)) list.removed.add(item);
  unit.links.add(list);
}
