// An entity as JSON. A plain object for the same reason that spread and console.log are right; relations that are
// loaded are nested, and where they lead back to an entity on the way, its key stands for it.
import type { EntityState } from './entity-state.ts';

type StateOf = (object: unknown) => EntityState | undefined;

export function entityRecord(state: EntityState, stateOf: StateOf): Record<string, unknown> {
  return record(state, stateOf, new Set());
}

function record(state: EntityState, stateOf: StateOf, path: Set<EntityState>): Record<string, unknown> {
  const { entity, mapper } = state;
  const json: Record<string, unknown> = {};
  if (path.has(state)) {
    for (const index of mapper.primaryKey) put(json, mapper.keys[index] as string, entity);
    return json;
  }
  path.add(state);
  for (const key of Object.keys(entity)) put(json, key, entity);
  state.ones?.forEach((related, { key }) => {
    set(json, key, related === null ? null : record(related, stateOf, path));
  });
  state.manys?.forEach(({ items }, { key }) => {
    if (items === undefined) return;
    set(
      json,
      key,
      items.map((item) => nested(stateOf(item), stateOf, path)),
    );
  });
  path.delete(state);
  return json;
}

function nested(state: EntityState | undefined, stateOf: StateOf, path: Set<EntityState>): unknown {
  return state === undefined ? null : record(state, stateOf, path);
}

function put(json: Record<string, unknown>, key: string, entity: object): void {
  if (Object.hasOwn(entity, key)) set(json, key, plain((entity as Record<string, unknown>)[key]));
}

/** Also for a key that an assignment would take for something else. */
function set(json: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(json, key, { value, enumerable: true, configurable: true, writable: true });
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  return Array.isArray(value) && value.some((item) => typeof item === 'bigint') ? value.map(plain) : value;
}
