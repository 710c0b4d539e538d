// Lists of related entities. A loaded list is a real array, so that everything that takes arrays takes it; `add` and
// `remove` are its own, out of sight, so that it compares and clones like any other array. Nothing awaited has a `then`.
import { FlushError, UsageError } from '../../errors/index.ts';

/** What add and remove of a list do. */
export interface ListActions {
  add(items: readonly object[]): void;
  remove(items: readonly object[]): void;
}

class Onto {
  constructor(object: object) {
    // oxlint-disable-next-line no-constructor-return -- the one way to give an array a private slot
    return object;
  }
}

class ListSlot extends Onto {
  #actions: ListActions;
  /** How long it should be: whoever pushes instead of adding would be ignored silently. */
  #length: number;
  constructor(items: object[], actions: ListActions) {
    super(items);
    this.#actions = actions;
    this.#length = items.length;
  }
  static of(items: object): ListActions {
    if (!(#actions in items)) throw new UsageError('add() and remove() belong to the list of a relation.');
    return items.#actions;
  }
  static lengthOf(items: object): number {
    return #length in items ? items.#length : -1;
  }
  static setLength(items: object, length: number): void {
    if (#length in items) items.#length = length;
  }
}

function add(this: object, ...items: object[]): void {
  ListSlot.of(this).add(items);
}
function remove(this: object, ...items: object[]): void {
  ListSlot.of(this).remove(items);
}
const METHODS: PropertyDescriptorMap = {
  add: { value: add, enumerable: false, configurable: true, writable: false },
  remove: { value: remove, enumerable: false, configurable: true, writable: false },
};

/** Makes a list of the array given. */
export function makeList(items: object[], actions: ListActions): object[] {
  new ListSlot(items, actions);
  return Object.defineProperties(items, METHODS);
}

export function pushItem(items: object[], item: object): void {
  items.push(item);
  ListSlot.setLength(items, items.length);
}

export function dropItem(items: object[], item: object): void {
  const at = items.indexOf(item);
  if (at === -1) return;
  items.splice(at, 1);
  ListSlot.setLength(items, items.length);
}

/** Throws `ATH_FLUSH` where the array was changed with an array's own methods, which nobody would write down. */
export function checkList(items: readonly object[], name: string): void {
  const length = ListSlot.lengthOf(items);
  if (length === -1 || length === items.length) return;
  throw new FlushError(
    `The list ${name} was changed by hand: it should hold ${length} entities and holds ${items.length}.`,
    {
      hint: 'Use its add() and remove(), or assign(entity, { list: [...] }): an array method leaves no trace that could be written.',
    },
  );
}
