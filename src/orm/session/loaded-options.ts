// Loader options at work: after the rows of a select are entities, their relations are loaded, level by level.
import { UsageError } from '../../errors/index.ts';
import type { FromElement } from '../../sql/from.ts';
import type { EntityItem } from '../../sql/result-shape.ts';
import { stateOf } from '../entity/entity-root.ts';
import type { EntityState } from '../entity/entity-state.ts';
import type { Relation } from '../mapping/mapper.ts';
import type { LoadOption } from '../relations/loader-options.ts';
import type { EntityReader } from './entity-reader.ts';

export type LoadRelation = (relation: Relation, states: readonly EntityState[]) => Promise<void>;

/** Loads what `options` ask for the entities that `readers` have read. */
export async function loadOptionsFor(
  options: readonly LoadOption[],
  readers: ReadonlyMap<EntityItem, EntityReader>,
  load: LoadRelation,
): Promise<void> {
  for (const option of options) {
    const states = [...readers].flatMap(([item, reader]) => (isFor(option, item.from) ? reader.companions.states : []));
    if (![...readers.keys()].some((item) => isFor(option, item.from))) throw mismatch(option);
    await loadDeep(option, states, load);
  }
}

function isFor({ source }: LoadOption, from: FromElement): boolean {
  return source === from || (source.key === from.key && source.name === from.name);
}

/** Loads one option's relation for these entities, and its nested options for what came. */
export async function loadDeep(option: LoadOption, states: readonly EntityState[], load: LoadRelation): Promise<void> {
  const { relation } = option;
  await load(relation, states);
  if (option.nested.length === 0) return;
  const targets = relatedStates(relation, states);
  for (const nested of option.nested) {
    if (nested.relation.owner !== relation.target) throw mismatch(nested);
    await loadDeep(nested, targets, load);
  }
}

function relatedStates(relation: Relation, states: readonly EntityState[]): readonly EntityState[] {
  const found = new Set<EntityState>();
  for (const state of states) {
    const one = state.ones?.get(relation);
    if (one !== undefined && one !== null) found.add(one);
    for (const item of state.manys?.get(relation)?.items ?? []) {
      const target = stateOf(item);
      if (target !== undefined) found.add(target);
    }
  }
  return [...found];
}

function mismatch({ relation, source }: LoadOption): UsageError {
  return new UsageError(
    `The option for ${relation.owner.name}.${relation.key} has nothing to apply to: ${source.name} is not selected whole here.`,
    {
      hint: 'An option goes with a class that is selected, or, nested, with the class the outer option loads.',
    },
  );
}
