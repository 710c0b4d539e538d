// How a row becomes an object of the user's class. The class is constructed as `new` would, so that field initialisers,
// private fields and constructors do their work; the row is written before the user's part of the chain runs, so that
// it can read it, and again after it, so that nothing in it can beat the database. The mark travels in a module slot:
// whatever a constructor passes to `super` does not matter.
import { MappingError } from '../../errors/index.ts';
import { attachState, type EntityRoot } from './entity-root.ts';
import type { EntityState } from './entity-state.ts';
import type { EntityConstructor, Stamp } from './stamp.ts';

/** A row on its way into an object. */
export interface RowInHand {
  values: readonly unknown[];
  state: EntityState;
  readonly stamp: Stamp;
}

type Concrete = new (...args: object[]) => object;

let target: unknown;
let hand: RowInHand | undefined;

/** Called by the factory class's constructor: whether this is a row being loaded, and if so, writes it. */
export function takeRow(entity: EntityRoot, newTarget: unknown): boolean {
  if (target === undefined || target !== newTarget) return false;
  const row = hand as RowInHand;
  target = undefined;
  attachState(entity, row.state);
  row.stamp(entity, row.values);
  return true;
}

/** Constructs an entity over a row. A constructor that takes an argument gets the columns by name, as from `new`. */
export function constructOver(entityClass: EntityConstructor, row: RowInHand): object {
  target = entityClass;
  hand = row;
  try {
    if (entityClass.length === 0) return new (entityClass as Concrete)();
    const init: object = {};
    row.stamp(init, row.values);
    return new (entityClass as Concrete)(init);
  } catch (error) {
    throw new MappingError(`The constructor of ${entityClass.name} failed while a row was loaded into it.`, {
      cause: error,
      hint: 'A class is constructed for every row. Its constructor gets one argument, the columns by name; this.<column> can be read after super().',
    });
  } finally {
    target = undefined;
  }
}
