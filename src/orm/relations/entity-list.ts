// Lists of related entities. A loaded list is a real array, so that everything that takes arrays takes it; `add` and
// `remove` are its own, out of sight, so that it compares and clones like any other array. Nothing awaited has a `then`.
import { UsageError } from '../../errors/index.ts';
import { Onto } from '../../primitives/onto.ts';

/** What add and remove of a list do. */
export interface ListActions {
  add(items: readonly object[]): void;
  remove(items: readonly object[]): void;
}

class ListSlot extends Onto {
  readonly #actions: ListActions;
  constructor(items: object[], actions: ListActions) {
    super(items);
    this.#actions = actions;
  }
  static of(this: void, items: object): ListActions {
    if (!(#actions in items)) throw new UsageError('add() and remove() belong to the list of a relation.');
    return items.#actions;
  }
}

function add(this: object, ...items: object[]): void {
  ListSlot.of(this).add(items);
}
function remove(this: object, ...items: object[]): void {
  ListSlot.of(this).remove(items);
}

/** An array's own ways to change: they would leave no trace that could be written. */
const MUTATORS = ['push', 'pop', 'shift', 'unshift', 'splice', 'sort', 'reverse', 'fill', 'copyWithin'] as const;

function refusal(name: string): (this: unknown) => never {
  return () => {
    throw new UsageError(`${name}() on the list of a relation would not be written.`, {
      hint: 'Use its add() and remove(), or assign(entity, { list: [...] }). To sort or cut, take a copy: [...list].',
    });
  };
}

const METHODS: PropertyDescriptorMap = {
  add: { value: add, enumerable: false, configurable: true, writable: false },
  remove: { value: remove, enumerable: false, configurable: true, writable: false },
};
for (const name of MUTATORS)
  METHODS[name] = { value: refusal(name), enumerable: false, configurable: true, writable: false };

/** Makes a list of the array given. */
export function makeList(items: object[], actions: ListActions): object[] {
  new ListSlot(items, actions);
  return Object.defineProperties(items, METHODS);
}

export function pushItem(items: object[], item: object): void {
  Array.prototype.push.call(items, item);
}

export function dropItem(items: object[], item: object): void {
  const at = items.indexOf(item);
  if (at !== -1) Array.prototype.splice.call(items, at, 1);
}
