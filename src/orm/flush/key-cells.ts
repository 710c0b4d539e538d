// Foreign keys of a flush: the value, where the other row's key is known, and else a reference to the row that will
// bring it.
import { FlushError } from '../../errors/index.ts';
import { encodeValue } from '../../types/encode.ts';
import type { TableColumn } from '../../sql/from.ts';
import { defaultValue } from '../../sql/statements/write.ts';
import type { EntityState, KeySource } from '../entity/entity-state.ts';
import { define } from '../entity/stamp.ts';
import { agrees, parentValues, writeValues } from '../relations/foreign-key.ts';
import { type Cell, KeyRef, type RowChange } from './row-change.ts';

const NONE: ReadonlyMap<number, Cell> = new Map();

export class KeyCells {
  readonly #rows = new Map<EntityState, RowChange>();
  readonly #added = new Set<EntityState>();

  /** Says beforehand that an entity will be inserted, so that others may refer to it whatever their order. */
  announce(state: EntityState): void {
    this.#added.add(state);
    makeKey(state);
  }

  /** The row of an entity: one object, filled in when its turn comes. */
  rowOf(state: EntityState): RowChange {
    let row = this.#rows.get(state);
    if (row === undefined) this.#rows.set(state, (row = {} as RowChange));
    return row;
  }

  /** One column of an entity that another row refers to. */
  cell(parent: EntityState, index: number): Cell {
    const { mapper, entity } = parent;
    const column = mapper.columns[index] as TableColumn;
    if (Object.hasOwn(entity, column.key)) {
      const value = (entity as Record<string, unknown>)[column.key];
      if (value !== null) return encodeValue(column.type, value, { table: mapper.name, column: column.name });
    }
    if (this.#added.has(parent)) return new KeyRef(this.rowOf(parent), column);
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
  const made: number[] = [];
  for (const index of mapper.primaryKey) {
    const { key, default: given } = mapper.columns[index] as TableColumn;
    if (Object.hasOwn(entity, key) || given === undefined || given.kind === 'expression') continue;
    if (waits(state, index)) continue;
    define(entity, key, defaultValue(given));
    made.push(index);
  }
  if (made.length > 0) state.filled = made;
}

/** The column is part of a foreign key whose value is on its way. */
function waits({ sources }: EntityState, index: number): boolean {
  return [...(sources?.values() ?? [])].some(({ relation }) => relation.link.childIndexes.includes(index));
}

function follows(child: EntityState, { relation, parent }: KeySource): boolean {
  return agrees(child, relation.link, parent);
}
