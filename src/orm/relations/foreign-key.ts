// A foreign key follows the entity it points to: its columns are written at once where the other's key is known, and
// left out, to be filled by the flush, where the database will make it.
import { sameScalar } from '../entity/baseline.ts';
import { define } from '../entity/stamp.ts';
import type { EntityState } from '../entity/entity-state.ts';
import type { ForeignKeyLink, Relation } from '../mapping/mapper.ts';

/** The values `link` has in the child now; `undefined` where one of them is not there. */
export function childValues(child: EntityState, link: ForeignKeyLink): readonly unknown[] | undefined {
  return ownValues(child, link.childIndexes);
}

/** The key `link` points to, in the parent; `undefined` where it is not made yet. */
export function parentValues(parent: EntityState, link: ForeignKeyLink): readonly unknown[] | undefined {
  return ownValues(parent, link.parentIndexes);
}

function ownValues({ entity, mapper }: EntityState, indexes: readonly number[]): readonly unknown[] | undefined {
  const values: unknown[] = [];
  for (const index of indexes) {
    const key = mapper.keys[index] as string;
    if (!Object.hasOwn(entity, key)) return undefined;
    values.push((entity as Record<string, unknown>)[key]);
  }
  return values;
}

/** Points the child at the parent, or at nothing. */
export function writeForeignKey(child: EntityState, relation: Relation, parent: EntityState | null): void {
  const { link } = relation;
  const first = link.childIndexes[0] as number;
  if (parent === null) {
    child.sources?.delete(first);
    for (const index of link.childIndexes) define(child.entity, child.mapper.keys[index] as string, null);
    return;
  }
  // A copy: a flush under way has the other one.
  child.sources = new Map(child.sources).set(first, { relation, parent });
  const values = parentValues(parent, link);
  if (values !== undefined && !values.includes(null)) {
    writeValues(child, link, values);
    return;
  }
  for (const index of link.childIndexes) Reflect.deleteProperty(child.entity, child.mapper.keys[index] as string);
  child.owner?.demote(child);
}

export function writeValues(child: EntityState, link: ForeignKeyLink, values: readonly unknown[]): void {
  link.childIndexes.forEach((index, at) => {
    const key = child.mapper.keys[index] as string;
    if (Object.hasOwn(child.entity, key)) (child.entity as Record<string, unknown>)[key] = values[at];
    else define(child.entity, key, values[at]);
  });
}

/** Whether the child's columns still say what the relation says: a user may have written them directly since. */
export function agrees(child: EntityState, link: ForeignKeyLink, parent: EntityState | null): boolean {
  const own = childValues(child, link);
  if (own === undefined) return true;
  if (parent === null) return own.includes(null);
  const values = parentValues(parent, link);
  if (values === undefined) return false;
  return own.every((value, index) => sameKey(value, values[index]));
}

/** Keys that are objects are equal by what they hold. */
function sameKey(a: unknown, b: unknown): boolean {
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  return a === b || (a instanceof Uint8Array && b instanceof Uint8Array && sameScalar(a, b));
}
