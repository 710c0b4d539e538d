// The ancestor of all mapped classes: the one place from which the orm reaches what it keeps about an object.
import { entityRecord } from './entity-json.ts';
import type { EntityState } from './entity-state.ts';

let read: (object: object) => EntityState | undefined;
let write: (entity: EntityRoot, state: EntityState) => void;

/** It adds nothing to an instance that can be seen. */
export class EntityRoot {
  #state: EntityState | undefined;
  static {
    read = (object) => (#state in object ? object.#state : undefined);
    write = (entity, state) => {
      entity.#state = state;
      state.entity = entity;
    };
  }
  /** Columns and loaded relations as JSON can hold them: int8 as decimal strings, circles cut to the key. */
  toJSON(): unknown {
    return this.#state === undefined ? Object.assign({}, this) : entityRecord(this.#state, stateOf);
  }
}

/** The state of an entity; `undefined` for any other object. */
export function stateOf(object: unknown): EntityState | undefined {
  return typeof object === 'object' && object !== null ? read(object) : undefined;
}

export function attachState(entity: EntityRoot, state: EntityState): void {
  write(entity, state);
}
