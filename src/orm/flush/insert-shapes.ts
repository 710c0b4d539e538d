// Which columns a new row sets and which the database fills in: rows that are alike in that share a statement. The next
// row is mostly like the one before it, so that is asked first.
import type { Mapper } from '../mapping/mapper.ts';
import type { RowShape, ShapeCache } from './row-change.ts';

const known = new WeakMap<ShapeCache, WeakMap<Mapper, Map<string, RowShape>>>();

/** The shapes of the new rows of one flush. */
export class InsertShapes {
  readonly #shapes: ShapeCache;
  #mapper: Mapper | undefined;
  #isSet: readonly boolean[] = [];
  #shape: RowShape | undefined;

  constructor(shapes: ShapeCache) {
    this.#shapes = shapes;
  }

  /** The shape of a row that sets the columns marked in `isSet`, which is not kept. */
  of(mapper: Mapper, isSet: readonly boolean[]): RowShape {
    const { columns } = mapper;
    if (this.#shape !== undefined && this.#mapper === mapper && this.#isSame(isSet, columns.length)) return this.#shape;
    const shape = insertShape(mapper, isSet, this.#shapes);
    this.#mapper = mapper;
    this.#isSet = isSet.slice(0, columns.length);
    this.#shape = shape;
    return shape;
  }

  #isSame(isSet: readonly boolean[], count: number): boolean {
    const last = this.#isSet;
    for (let index = 0; index < count; index++) if (isSet[index] !== last[index]) return false;
    return true;
  }
}

function insertShape(mapper: Mapper, isSet: readonly boolean[], shapes: ShapeCache): RowShape {
  let byMapper = known.get(shapes);
  if (byMapper === undefined) known.set(shapes, (byMapper = new WeakMap()));
  let byColumns = byMapper.get(mapper);
  if (byColumns === undefined) byMapper.set(mapper, (byColumns = new Map()));
  const { table, columns } = mapper;
  const name = columns.map((_, index) => (isSet[index] === true ? 's' : 'r')).join('');
  let shape = byColumns.get(name);
  if (shape === undefined) {
    shape = shapes.intern({
      table,
      action: 'insert',
      set: columns.filter((_, index) => isSet[index] === true),
      match: [],
      guard: [],
      returning: columns.filter((_, index) => isSet[index] !== true),
    });
    byColumns.set(name, shape);
  }
  return shape;
}
