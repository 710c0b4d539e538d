// Foreign keys of a flush: the value, where the other row's key is known, and else a reference to the row that will
// bring it.
import { FlushError } from '../../errors/index.ts';
import { encodeValue } from '../../types/encode.ts';
import type { TableColumn } from '../../sql/from.ts';
import { defaultValue } from '../../sql/statements/write.ts';
import type { EntityState, KeySource } from '../entity/entity-state.ts';
import { define } from '../entity/stamp.ts';
import { agrees, parentValues, writeValues } from '../relations/foreign-key.ts';
import { type Cell, KeyRef, openRow } from './row-change.ts';

const NONE: ReadonlyMap<number, Cell> = new Map();

type OpenRow = ReturnType<typeof openRow>;

export class KeyCells {
  /** Of new entities, in the order they were added. */
  readonly #rows = new Map<EntityState, OpenRow>();

  /** Says beforehand that an entity will be inserted, so that others may refer to it whatever their order. */
  announce(state: EntityState): void {
    this.#rows.set(state, openRow());
    makeKey(state);
  }

  /** The row of an entity: one object, filled in when its turn comes. */
  rowOf(state: EntityState): OpenRow {
    return this.#rows.get(state) ?? openRow();
  }

  /** One column of an entity that another row refers to. */
  cell(parent: EntityState, index: number): Cell {
    const { mapper, entity } = parent;
    const column = mapper.columns[index] as TableColumn;
    if (Object.hasOwn(entity, column.key)) {
      const value = (entity as Record<string, unknown>)[column.key];
      if (value !== null) return encodeValue(column.type, value, mapper.targets[index]);
    }
    const row = this.#rows.get(parent);
    if (row !== undefined) return new KeyRef(row, column);
    throw new FlushError(
      `An entity refers to a new one of ${mapper.name} that is in no session, so its key will not come to be.`,
      {
        hint: 'Add it to the session: a relation with cascade none does not take it along.',
      },
    );
  }

  /** The foreign key columns of a row that follow other entities. */
  foreignCells(child: EntityState): ReadonlyMap<number, Cell> {
    if (child.sources === undefined || child.sources.size === 0) return NONE;
    const cells = new Map<number, Cell>();
    for (const [first, source] of child.sources) {
      if (!follows(child, source)) {
        // The user wrote the column after setting the relation: the later word counts.
        child.sources.delete(first);
        continue;
      }
      const { link } = source.relation;
      const values = parentValues(source.parent, link);
      if (values !== undefined && !values.includes(null)) writeValues(child, link, values);
      else {
        link.childIndexes.forEach((index, at) => {
          cells.set(index, this.cell(source.parent, link.parentIndexes[at] as number));
        });
      }
    }
    return cells;
  }
}

/** A key with a default of our own (a UUID) is made now: what refers to it need not wait for the database. */
function makeKey(state: EntityState): void {
  const { mapper, entity } = state;
  let made: number[] | undefined;
  for (const index of mapper.primaryKey) {
    const { key, default: given } = mapper.columns[index] as TableColumn;
    if (given === undefined || given.kind === 'expression' || Object.hasOwn(entity, key)) continue;
    if (waits(state, index)) continue;
    define(entity, key, defaultValue(given));
    made ??= [];
    made.push(index);
  }
  if (made !== undefined) state.filled = made;
}

/** The column is part of a foreign key whose value is on its way. */
function waits({ sources }: EntityState, index: number): boolean {
  return [...(sources?.values() ?? [])].some(({ relation }) => relation.link.childIndexes.includes(index));
}

function follows(child: EntityState, { relation, parent }: KeySource): boolean {
  return agrees(child, relation.link, parent);
}
