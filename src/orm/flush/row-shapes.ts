// Which columns a row sets, asks for and compares: rows that are alike in that share a statement. The next row is mostly
// like the one before it, so that is asked first; spelling out a shape to find it costs more than all else of a row.
import type { TableColumn } from '../../sql/from.ts';
import type { Mapper } from '../mapping/mapper.ts';
import type { RowShape, ShapeCache } from './row-change.ts';

/** The shapes of one class that were needed before. */
interface Known {
  readonly inserts: Map<string, RowShape>;
  readonly updates: Map<string, RowShape>;
}

const known = new WeakMap<ShapeCache, WeakMap<Mapper, Known>>();

/** The shapes of the rows of one flush. */
export class RowShapes {
  readonly #shapes: ShapeCache;
  #mapper: Mapper | undefined;
  #isSet: readonly boolean[] = [];
  #insert: RowShape | undefined;

  constructor(shapes: ShapeCache) {
    this.#shapes = shapes;
  }

  /** The shape of a new row that sets the columns marked in `isSet`, which is not kept. */
  insert(mapper: Mapper, isSet: readonly boolean[]): RowShape {
    const { columns } = mapper;
    const last = this.#insert;
    if (last !== undefined && this.#mapper === mapper && same(isSet, this.#isSet, columns.length)) return last;
    const shape = this.#insertShape(mapper, isSet);
    this.#mapper = mapper;
    this.#isSet = isSet.slice(0, columns.length);
    this.#insert = shape;
    return shape;
  }

  /** The shape of an update by key, of columns given by their positions. */
  update(mapper: Mapper, set: readonly number[], guard: readonly number[]): RowShape {
    const { updates } = this.#knownOf(mapper);
    const name = `${set.join()}|${guard.join()}`;
    let shape = updates.get(name);
    if (shape === undefined) {
      shape = this.#shapes.intern({
        table: mapper.table,
        action: 'update',
        set: columnsAt(mapper, set),
        match: mapper.planMapper.primaryKey,
        guard: columnsAt(mapper, guard),
        returning: [],
      });
      updates.set(name, shape);
    }
    return shape;
  }

  #insertShape(mapper: Mapper, isSet: readonly boolean[]): RowShape {
    const { inserts } = this.#knownOf(mapper);
    const { table, columns } = mapper;
    const name = columns.map((_, index) => (isSet[index] === true ? 's' : 'r')).join('');
    let shape = inserts.get(name);
    if (shape === undefined) {
      shape = this.#shapes.intern({
        table,
        action: 'insert',
        set: columns.filter((_, index) => isSet[index] === true),
        match: [],
        guard: [],
        returning: columns.filter((_, index) => isSet[index] !== true),
      });
      inserts.set(name, shape);
    }
    return shape;
  }

  #knownOf(mapper: Mapper): Known {
    let byMapper = known.get(this.#shapes);
    if (byMapper === undefined) known.set(this.#shapes, (byMapper = new WeakMap()));
    let found = byMapper.get(mapper);
    if (found === undefined) byMapper.set(mapper, (found = { inserts: new Map(), updates: new Map() }));
    return found;
  }
}

/** The columns of a class at these positions. */
export function columnsAt({ columns }: Mapper, indexes: readonly number[]): readonly TableColumn[] {
  return indexes.map((index) => columns[index] as TableColumn);
}

function same(a: readonly boolean[], b: readonly boolean[], count: number): boolean {
  for (let index = 0; index < count; index++) if (a[index] !== b[index]) return false;
  return true;
}
