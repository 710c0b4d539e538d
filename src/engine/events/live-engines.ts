// The engines of this thread that were made and not closed, for metrics that are read rather than told. They are known
// weakly: one that nobody has any more is not kept for the sake of its figures.
import type { PoolStatus } from '../../pool/pool-status.ts';
import type { EngineFacts } from './engine-facts.ts';

/** What can be read of an engine. */
export interface LiveEngine {
  readonly pool: { readonly status: PoolStatus };
  readonly watch: { readonly facts: EngineFacts };
}

const engines = new Set<WeakRef<LiveEngine>>();
const references = new WeakMap<object, WeakRef<LiveEngine>>();
const collected = new FinalizationRegistry<WeakRef<LiveEngine>>((reference) => void engines.delete(reference));

/** `source` lives as long as `engine`, or longer by those that share it. */
export function registerEngine(engine: object, source: LiveEngine): void {
  const reference = new WeakRef(source);
  engines.add(reference);
  references.set(engine, reference);
  collected.register(source, reference);
}

export function forgetEngine(engine: object): void {
  const reference = references.get(engine);
  if (reference !== undefined) engines.delete(reference);
}

/** Those that are there now, in the order they were made. */
export function liveEngines(): readonly LiveEngine[] {
  return [...engines].flatMap((reference) => reference.deref() ?? []);
}
