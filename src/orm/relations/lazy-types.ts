// The types of relation fields. They say what can be done before a relation is loaded, which is little: await it,
// assign to it, add and remove.
import type { KIND } from '../../sql/phantom.ts';

/** A to-one relation that has not been loaded. Awaiting it loads it; anything else is a compile error. */
export interface Unloaded<T> extends PromiseLike<T> {
  readonly [KIND]: 'unloaded';
  /** Entities carry an object here, so `Entity & Unloaded` collapses to `never`. */
  readonly [Symbol.unscopables]: null;
}

/** To-one field: a loaded value or a not-yet-loaded handle. A union, so that `address.user = user` type-checks. */
export type Lazy<T> = T | Unloaded<T>;

/**
 * To-many field: not readable until loaded, but always writable. Not a union with an array: `T[] & (T & More)[]` would
 * pick the poorer `map`, so the array part comes only from the loader option.
 */
export interface LazyList<T> extends PromiseLike<LoadedList<T>> {
  add(...items: T[]): void;
  remove(...items: T[]): void;
}

/** What awaiting a list gives: a read-only array that can still be added to and removed from. It has no `then`. */
export type LoadedList<T> = readonly T[] & { add(...items: T[]): void; remove(...items: T[]): void };
