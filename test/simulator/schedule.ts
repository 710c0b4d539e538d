// One schedule as plain facts drawn from a seed: how the engine is set up, how unreliable the world is, and how many
// clients there are. What the clients do is drawn on the way, from seeds of their own.
import type { PoolSettings } from '../../src/pool/pool-options.ts';
import { Random } from '../random.ts';
import { type Faults, NO_FAULTS } from './server.ts';

export interface Schedule {
  readonly seed: number;
  readonly permits: number;
  readonly pool: PoolSettings;
  readonly faults: Faults;
  readonly clients: number;
  /** Tasks of each client. */
  readonly tasks: number;
  /** Milliseconds between two blows from outside; none where undefined. */
  readonly blows: number | undefined;
  /** The engine is closed while clients are at work. */
  readonly closesEarly: boolean;
}

function makeFaults(random: Random): Faults {
  if (random.chance(0.1)) return NO_FAULTS;
  const some = (most: number): number => (random.chance(0.5) ? 0 : random.next() * most);
  return {
    refuse: some(0.3),
    full: some(0.3),
    mute: some(0.05),
    lose: some(0.08),
    fail: some(0.15),
    slow: some(0.2),
    deaf: some(0.5),
  };
}

function makePool(random: Random): PoolSettings {
  const max = random.between(1, 4);
  const sometimes = <T>(value: T): T | undefined => (random.chance(0.3) ? value : undefined);
  return {
    max,
    min: random.chance(0.2) ? 1 : 0,
    callSites: false,
    maxLifetime: sometimes(random.between(500, 5_000)),
    idleTimeout: sometimes(random.between(100, 2_000)),
    pingAfter: sometimes(random.between(0, 200)),
    order: sometimes('fifo' as const),
    resetOnReturn: sometimes(random.pick(['commit', 'none'] as const)),
    acquireTimeout: sometimes(random.between(50, 2_000)),
    connectTimeout: sometimes(random.between(30, 2_000)),
    maxWaiting: random.chance(0.1) ? random.between(1, 4) : undefined,
  };
}

/** The schedule of a seed. */
export function makeSchedule(seed: number): Schedule {
  const random = new Random(seed);
  return {
    seed,
    permits: random.between(1, 4),
    pool: makePool(random),
    faults: makeFaults(random),
    clients: random.between(1, 6),
    tasks: random.between(1, 5),
    blows: random.chance(0.5) ? random.between(50, 2_000) : undefined,
    closesEarly: random.chance(0.1),
  };
}
