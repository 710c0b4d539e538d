// Writes column values onto an entity as own data properties, whatever the prototype has under the same names: the
// accessors that explain an unloaded column must not be called, and defining is what class fields do.
import { Onto } from '../../primitives/onto.ts';
import { canGenerate, generate, quoted } from './codegen.ts';

/** Writes the column values onto an object as own plain data properties. */
export type Stamp = (entity: object, values: readonly unknown[]) => void;

export type EntityConstructor = abstract new (...args: never[]) => object;

/** Defines `keys[i]` as `values[i]`. */
export function makeStamp(keys: readonly string[]): Stamp {
  if (!canGenerate()) return (entity, values) => keys.forEach((key, index) => define(entity, key, values[index]));
  const fields = keys.map((key, index) => `[${quoted(key)}] = values[${index}];`).join(' ');
  return generate<Stamp>(
    `let values; class Columns extends Onto { ${fields} } return (entity, row) => { values = row; new Columns(entity); values = undefined; };`,
    { Onto },
  );
}

/** A stamp with the columns it writes: the objects made at one place of a program mostly give the same ones. */
export interface KnownStamp {
  readonly keys: readonly string[];
  readonly stamp: Stamp;
}

/** Stamps for some of a class's columns, made once for each choice of them. */
export class StampCache {
  static readonly #capacity = 64;
  readonly #stamps: Map<string, Stamp> = new Map();

  /** Beyond a few dozen choices, properties are defined one by one: text made from input must not pile up as code. */
  get(keys: readonly string[]): Stamp {
    const name = keys.join('\0');
    let stamp = this.#stamps.get(name);
    if (stamp !== undefined) return stamp;
    if (this.#stamps.size >= StampCache.#capacity) {
      return (entity, values) => keys.forEach((key, index) => define(entity, key, values[index]));
    }
    stamp = makeStamp(keys);
    this.#stamps.set(name, stamp);
    return stamp;
  }
}

/** Writes again what a constructor or field initialiser changed. */
export function makeRestamp(keys: readonly string[]): Stamp {
  if (!canGenerate()) {
    return (entity, values) => {
      keys.forEach((key, index) => {
        if ((entity as Record<string, unknown>)[key] !== values[index]) define(entity, key, values[index]);
      });
    };
  }
  const checks = keys
    .map((key, index) => `if (entity[${quoted(key)}] !== row[${index}]) define(entity, ${quoted(key)}, row[${index}]);`)
    .join(' ');
  return generate<Stamp>(`return (entity, row) => { ${checks} };`, { define });
}

/** One column as an own plain data property. */
export function define(entity: object, key: string, value: unknown): void {
  Object.defineProperty(entity, key, { value, writable: true, enumerable: true, configurable: true });
}
