// Loads one relation for many entities: one SELECT for 500 keys. Whoever asks, an await or a loader option, comes here.
import type { ExpressionNode, SelectItem, SelectNode } from '../../sql/expression-node.ts';
import {
  arrayBindNode,
  binaryNode,
  bindNode,
  columnNode,
  inListNode,
  logicalNode,
} from '../../sql/expression-factory.ts';
import type { FromColumn, FromElement } from '../../sql/from.ts';
import { expressionNode } from '../../sql/operand.ts';
import { selectDraft } from '../../sql/statements/select-draft.ts';
import { makeSelect } from '../../sql/statements/select-factory.ts';
import { encodeValue } from '../../types/encode.ts';
import type { Scalar } from '../../types/wire.ts';
import type { Baseline } from '../entity/baseline.ts';
import type { EntityState } from '../entity/entity-state.ts';
import { type IdentityKey, identityKey, identityKeyAt } from '../entity/identity-key.ts';
import type { ForeignKeyLink, Mapper, Relation } from '../mapping/mapper.ts';
import { childValues } from './foreign-key.ts';
import { manyValue } from './link.ts';
import { fillMany } from './relation-field.ts';

/** Keys in one statement. */
const CHUNK = 500;

/** Reads the entities that stand from a column on in the rows of one statement. */
export interface StateReader {
  readState(row: Scalar[]): EntityState | null;
}

/** What loading needs of a session. */
export interface RelationSource {
  query(node: SelectNode): Promise<readonly Scalar[][]>;
  reader(mapper: Mapper, start: number): StateReader;
  /** An entity of this session that was read in this transaction. */
  fresh(mapper: Mapper, key: IdentityKey): EntityState | undefined;
}

/** Whether an entity still lacks a relation. */
export function lacks(state: EntityState, relation: Relation): boolean {
  return relation.direction === 'parent'
    ? state.ones?.has(relation) !== true
    : state.manys?.get(relation)?.items === undefined;
}

export async function loadRelation(
  source: RelationSource,
  relation: Relation,
  owners: readonly EntityState[],
): Promise<void> {
  const wanted = owners.filter((state) => lacks(state, relation));
  if (wanted.length === 0) return;
  if (relation.direction === 'parent') await loadParents(source, relation, wanted);
  else await loadChildren(source, relation, wanted);
}

interface Key {
  readonly id: IdentityKey;
  readonly values: readonly Scalar[];
}

async function loadParents(source: RelationSource, relation: Relation, owners: readonly EntityState[]): Promise<void> {
  const { link, target } = relation;
  const wanted = new Map<IdentityKey, { readonly key: Key; readonly owners: EntityState[] }>();
  const byPrimaryKey = sameIndexes(link.parentIndexes, target.primaryKey);
  for (const owner of owners) {
    const key = foreignKeyOf(owner, link);
    const known = key === undefined || !byPrimaryKey ? undefined : source.fresh(target, key.id);
    if (key === undefined) setOne(owner, relation, null);
    else if (known !== undefined) setOne(owner, relation, known);
    else {
      const entry = wanted.get(key.id) ?? { key, owners: [] };
      wanted.set(key.id, entry);
      entry.owners.push(owner);
    }
  }
  const entries = [...wanted.values()];
  const found = new Map<IdentityKey, EntityState>();
  const reader = source.reader(target, 0);
  for (let start = 0; start < entries.length; start += CHUNK) {
    const keys = entries.slice(start, start + CHUNK).map(({ key }) => key);
    for (const row of await source.query(parentSelect(relation, keys))) {
      const id = identityKeyAt(row, 0, link.parentIndexes);
      const state = reader.readState(row);
      if (id !== undefined && state !== null) found.set(id, state);
    }
  }
  for (const { key, owners: waiting } of entries) {
    for (const owner of waiting) setOne(owner, relation, found.get(key.id) ?? null);
  }
}

function setOne(owner: EntityState, relation: Relation, parent: EntityState | null): void {
  owner.ones ??= new Map();
  // A change made while the query was on its way is newer.
  if (!owner.ones.has(relation)) owner.ones.set(relation, parent);
}

async function loadChildren(source: RelationSource, relation: Relation, owners: readonly EntityState[]): Promise<void> {
  const { link } = relation;
  const keys = owners.map((owner) => storedKeyOf(owner, link.parentIndexes));
  const rows = new Map<IdentityKey, EntityState[]>();
  // Behind the columns of the other side's key stands the entity.
  const width = link.childIndexes.length;
  const reader = source.reader(relation.target, width);
  for (let start = 0; start < keys.length; start += CHUNK) {
    const part = keys.slice(start, start + CHUNK).filter((key) => key !== undefined);
    if (part.length === 0) continue;
    for (const row of await source.query(childSelect(relation, part))) {
      const id = identityKeyAt(row, 0, [...link.childIndexes.keys()]);
      const state = reader.readState(row);
      if (id === undefined || state === null) continue;
      const list = rows.get(id) ?? [];
      rows.set(id, list);
      list.push(state);
    }
  }
  const inverse = relation.direction === 'children' ? relation.inverse() : undefined;
  owners.forEach((owner, index) => {
    const key = keys[index];
    const found = (key === undefined ? undefined : rows.get(key.id)) ?? [];
    fillMany(
      manyValue(owner, relation),
      found.map(({ entity }) => entity),
    );
    if (inverse !== undefined) for (const child of found) setOne(child, inverse, owner);
  });
}

function parentSelect(relation: Relation, keys: readonly Key[]): SelectNode {
  const { target, link } = relation;
  const columns = link.parentIndexes.map((index) => target.columns[index] as FromColumn);
  return makeSelect({
    ...selectDraft([entityItem(target)]),
    from: [target.table],
    where: [keysNode(target.table, columns, keys)],
  });
}

function childSelect(relation: Relation, keys: readonly Key[]): SelectNode {
  const { target, link, far } = relation;
  const { child } = link;
  const columns = link.childIndexes.map((index) => child.columns[index] as FromColumn);
  const items: SelectItem[] = columns.map((column, index) => ({
    kind: 'value',
    key: `key_${index}`,
    named: true,
    node: columnNode(child.table, column),
  }));
  return makeSelect({
    ...selectDraft([...items, entityItem(target)]),
    from: [child.table],
    joins: far === undefined ? [] : [{ kind: 'inner', target: target.table, on: linkNode(far) }],
    where: [keysNode(child.table, columns, keys)],
    orderBy: orderOf(relation),
  });
}

function entityItem({ table }: Mapper): SelectItem {
  return { kind: 'entity', key: table.name, from: table, columns: table.columns };
}

function linkNode(link: ForeignKeyLink): ExpressionNode {
  return logicalNode(
    'and',
    link.childIndexes.map((index, at) =>
      binaryNode('eq', {
        left: columnNode(link.child.table, link.child.columns[index] as FromColumn),
        right: columnNode(link.parent.table, link.parent.columns[link.parentIndexes[at] as number] as FromColumn),
      }),
    ),
  );
}

/** What the model says, and else by key: a list must not come in another order each time. */
function orderOf({ orderBy, target }: Relation): ExpressionNode[] {
  if (orderBy !== undefined) {
    const given = orderBy();
    return (Array.isArray(given) ? given : [given]).map(expressionNode);
  }
  return target.primaryKey.map((index) => columnNode(target.table, target.columns[index] as FromColumn));
}

/** `column in (keys)`; for several columns a comparison for each key. */
function keysNode(from: FromElement, columns: readonly FromColumn[], keys: readonly Key[]): ExpressionNode {
  const [only] = columns;
  if (only !== undefined && columns.length === 1) {
    const values = keys.map((key) => key.values[0] as Scalar);
    return inListNode(columnNode(from, only), arrayBindNode(values, only.type), false);
  }
  return logicalNode(
    'or',
    keys.map((key) =>
      logicalNode(
        'and',
        columns.map((column, index) =>
          binaryNode('eq', {
            left: columnNode(from, column),
            right: bindNode(key.values[index] as Scalar, column.type),
          }),
        ),
      ),
    ),
  );
}

/** Where the foreign key points now, which may not be where it pointed when the row was read. */
function foreignKeyOf(child: EntityState, link: ForeignKeyLink): Key | undefined {
  const own = childValues(child, link);
  if (own === undefined) return undefined;
  return keyOf(
    own.map((value, at) =>
      encodeValue((child.mapper.columns[link.childIndexes[at] as number] as FromColumn).type, value),
    ),
  );
}

function storedKeyOf(owner: EntityState, indexes: readonly number[]): Key | undefined {
  if (owner.baseline === undefined) return undefined;
  return keyOf(indexes.map((index) => owner.mapper.format.wire(owner.baseline as Baseline, index) ?? null));
}

function keyOf(values: readonly Scalar[]): Key | undefined {
  const id = identityKey(values);
  return id === undefined ? undefined : { id, values };
}

function sameIndexes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}
