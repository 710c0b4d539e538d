// Joins awaits: several awaits of one relation in one tick, by whatever entities, become one load for all entities
// that came with them. N+1 queries then take an effort.
import type { EntityState } from '../entity/entity-state.ts';
import type { Relation } from '../mapping/mapper.ts';

type Load = (relation: Relation, states: readonly EntityState[]) => Promise<void>;

export class RelationLoader {
  readonly #load: Load;
  readonly #waiting = new Map<Relation, { readonly asked: Set<EntityState>; readonly done: Promise<void> }>();

  constructor(load: Load) {
    this.#load = load;
  }

  load(state: EntityState, relation: Relation): Promise<void> {
    const waiting = this.#waiting.get(relation);
    if (waiting !== undefined) {
      waiting.asked.add(state);
      return waiting.done;
    }
    const asked = new Set([state]);
    const done = Promise.resolve().then(() => {
      this.#waiting.delete(relation);
      return this.#load(relation, withCompanions(asked));
    });
    this.#waiting.set(relation, { asked, done });
    return done;
  }
}

/** Those asked for, and all that came with the same results and are still in the same session. */
function withCompanions(asked: ReadonlySet<EntityState>): readonly EntityState[] {
  const all = new Set(asked);
  for (const state of asked) {
    for (const companion of state.companions?.states ?? []) {
      if (companion.owner === state.owner && companion.status === 'persistent') all.add(companion);
    }
  }
  return [...all];
}
