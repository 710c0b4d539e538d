// The first Node versions with a usable `node:sqlite` bind a list of values to `?` only, and `?1` by its name.
import type { DatabaseSync } from 'node:sqlite';
import type { Bindable } from './encode-parameter.ts';

export type Bindings = readonly Bindable[] | readonly [Record<string, Bindable>];

const NUMBERED = /\?\d/;
let listsReachNumbers: boolean | undefined;

/** How a list of values is given to a statement of this text. */
export function bindingOf(database: DatabaseSync, sql: string): (values: Bindable[]) => Bindings {
  if (!NUMBERED.test(sql)) return (values) => values;
  listsReachNumbers ??= probe(database);
  if (listsReachNumbers) return (values) => values;
  return (values) => [Object.fromEntries(values.map((value, index) => [`?${index + 1}`, value]))];
}

function probe(database: DatabaseSync): boolean {
  try {
    database.prepare('SELECT ?1').get(1);
    return true;
  } catch {
    return false;
  }
}
