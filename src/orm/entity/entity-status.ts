// Where an entity stands between an object of its own and a row.
import { stateOf } from './entity-root.ts';
import type { EntityStatus } from './entity-state.ts';

/**
 * `transient`: new, in no session. `pending`: added, not yet written. `persistent`: the object of a row of its session.
 * `deleted`: its row was deleted in a transaction that is still open. `detached`: it was persistent, and its session let
 * it go. `undefined` for what is no entity.
 */
export function entityStatus(entity: object): EntityStatus | undefined {
  return stateOf(entity)?.status;
}
