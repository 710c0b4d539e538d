// Finds the columns that a class body declares as fields of its own. JavaScript defines fields after the constructor
// that was given the values, and no code of ours runs after that: the value would be lost without a word. So it is
// found out once a class, beforehand. The text of the class says whether it is worth a look; one object, constructed as
// for a row and thrown away, says for certain.
import { constructOver } from '../entity/construction.ts';
import { EntityState } from '../entity/entity-state.ts';
import type { EntityConstructor } from '../entity/stamp.ts';
import type { Mapper } from './mapper.ts';

const found = new WeakMap<Mapper, ReadonlySet<string>>();
const NONE: ReadonlySet<string> = new Set();
let assigned: Set<string> | undefined;

/** The columns and relations of a class that its body defines as fields. */
export function initialisedFields(mapper: Mapper): ReadonlySet<string> {
  let fields = found.get(mapper);
  if (fields === undefined) {
    // Set first: the trial object may construct others of its class.
    found.set(mapper, NONE);
    fields = look(mapper);
    found.set(mapper, fields);
  }
  return fields;
}

/** Told by a column's accessor that code assigned to it, as a constructor may. */
export function noteAssignment(key: string): void {
  assigned?.add(key);
}

/** Whether the class is being tried: an absent column then reads as undefined, for there is no row. */
export function isTrial(): boolean {
  return assigned !== undefined;
}

function look(mapper: Mapper): ReadonlySet<string> {
  const suspects = [...mapper.keys, ...mapper.definitions.keys()].filter((key) => mentions(mapper.entityClass, key));
  if (suspects.length === 0) return NONE;
  const before = assigned;
  assigned = new Set();
  try {
    const trial = constructOver(mapper.entityClass, { values: [], state: new EntityState(mapper), stamp: () => {} });
    const written = assigned;
    return new Set(suspects.filter((key) => Object.hasOwn(trial, key) && !written.has(key)));
  } catch {
    // A constructor that needs a real row cannot be tried; nothing is claimed about it.
    return NONE;
  } finally {
    assigned = before;
  }
}

/** Whether the text has something like `name = ` or `name;` that is not `this.name = `. */
function mentions(entityClass: EntityConstructor, key: string): boolean {
  const text = Function.prototype.toString.call(entityClass);
  for (let at = text.indexOf(key); at !== -1; at = text.indexOf(key, at + 1)) {
    const before = text[at - 1] ?? ' ';
    const after = text.slice(at + key.length, at + key.length + 200).trimStart()[0] ?? '';
    if (/[\s;{}"'[]/.test(before) && /[=;}"'\]]|\p{ID_Start}|[#[*]/u.test(after)) return true;
  }
  return false;
}
