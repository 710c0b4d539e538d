// What a pool can be told, and what it does untold. Every wait has a limit, and no number means "no limit" in disguise.
import type { ConnectOptions, DriverConnection, DriverStatement } from '../driver/driver.ts';
import { UsageError } from '../errors/index.ts';
import { type Clock, systemClock } from '../primitives/clock.ts';
import { currentOwner, type OwnerSource } from './owner.ts';
import type { Permit, Permits } from './permits.ts';
import { POLICIES, type PoolPolicyName } from './policy.ts';
import type { ShedSettings } from './shedding.ts';

/** What a user may set; times in milliseconds. */
export interface PoolSettings {
  /**
   * What becomes of connections: `queue` keeps and lends them, those who find none wait (default); `null` closes each
   * when it comes back; `static` has one, out to all at once, who share its transaction too; `assertion` lends one at
   * a time and refuses a second checkout, naming the first.
   */
  readonly policy?: PoolPolicyName | undefined;
  /** Defaults for a place: `serverless` has no timer while nobody waits, few connections, and asks again after a freeze. */
  readonly preset?: 'serverless' | undefined;
  /** Most connections this pool opens. Default: what the permits allow. */
  readonly max?: number | undefined;
  /** Idle connections that are kept however long they idle; the first checkout opens them. Default 0. */
  readonly min?: number | undefined;
  /** How long a checkout may wait. Default 5000. */
  readonly acquireTimeout?: number | undefined;
  /** How long opening a connection may take: network, TLS and authentication together. Default 10000. */
  readonly connectTimeout?: number | undefined;
  /** The age at which a connection is replaced, less up to a tenth at random. Never while it is out. Default 1800000. */
  readonly maxLifetime?: number | undefined;
  /** How long a connection above `min` may idle. Default 10000. */
  readonly idleTimeout?: number | undefined;
  /** A connection that idled longer is asked for a sign of life before it goes out. Default 1000. */
  readonly pingAfter?: number | undefined;
  /** What happens to a transaction left open in a connection that comes back; `none` closes such a connection. Default `rollback`. */
  readonly resetOnReturn?: 'rollback' | 'commit' | 'none' | undefined;
  /** Which idle connection goes out: the one used last, so that others age out, or the one used first. Default `lifo`. */
  readonly order?: 'lifo' | 'fifo' | undefined;
  /** After this long, waiters on a full pool whose every holder idles in a transaction are refused. Default 250. */
  readonly stallAfter?: number | undefined;
  /** Checkouts that may wait at once; more are refused (ATH_POOL_OVERLOADED). Default: no bound but their deadlines. */
  readonly maxWaiting?: number | undefined;
  /**
   * Whether some who wait are refused before their deadlines (ATH_POOL_OVERLOADED) when for a whole interval everybody
   * has waited too long. Default false: a shortage is waiting. `true` takes the defaults.
   */
  readonly shedding?: boolean | ShedSettings | undefined;
  /** A connection that is out for longer is reported (ATH_POOL_OVERDUE), with who took it. Default: none is. */
  readonly leakAfter?: number | undefined;
  /** Whether checkouts note who called. Default `auto`: the first ones, wherever connections are short, and all once one was misused. */
  readonly callSites?: boolean | 'auto' | undefined;
}

/** The statements a pool sends of its own. */
export interface PoolStatements {
  readonly ping: DriverStatement;
  readonly rollback: DriverStatement;
  readonly commit: DriverStatement;
}

export interface PoolOptions extends PoolSettings {
  connect(permit: Permit, options: ConnectOptions): Promise<DriverConnection>;
  readonly permits: Permits;
  readonly statements: PoolStatements;
  readonly clock?: Clock | undefined;
  readonly owner?: OwnerSource | undefined;
  /** Between 0 and 1, for jitter. */
  readonly random?: (() => number) | undefined;
}

type Complete = { readonly [K in keyof PoolOptions]-?: Exclude<PoolOptions[K], undefined> };

export interface ResolvedPoolOptions extends Omit<Complete, 'preset'> {
  /** Whether timers may run while nobody waits. */
  readonly background: boolean;
}

const PRESETS: Readonly<Record<NonNullable<PoolSettings['preset']>, Partial<ResolvedPoolOptions>>> = {
  serverless: { max: 2, background: false },
};

const DEFAULTS = {
  policy: 'queue',
  background: true,
  max: Number.POSITIVE_INFINITY,
  min: 0,
  acquireTimeout: 5_000,
  connectTimeout: 10_000,
  maxLifetime: 30 * 60_000,
  idleTimeout: 10_000,
  pingAfter: 1_000,
  resetOnReturn: 'rollback',
  order: 'lifo',
  stallAfter: 250,
  maxWaiting: Number.POSITIVE_INFINITY,
  shedding: false,
  leakAfter: Number.POSITIVE_INFINITY,
  callSites: 'auto',
  clock: systemClock,
  owner: currentOwner,
  random: Math.random,
} as const;

/** Fills in the defaults. Throws `ATH_USAGE` on a number that makes no sense. */
export function resolvePoolOptions(options: PoolOptions): ResolvedPoolOptions {
  const { preset, ...rest } = options;
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  known('policy', options.policy, POLICIES);
  known('preset', preset, PRESETS);
  // `connect` may be a method of a class instance, which entries() does not see.
  const resolved = {
    ...DEFAULTS,
    ...(preset === undefined ? undefined : PRESETS[preset]),
    ...given,
    ...POLICIES[options.policy ?? 'queue'].settings,
    connect: options.connect.bind(options),
  } as ResolvedPoolOptions;
  checkNumber(resolved, 'max', 1);
  checkNumber(resolved, 'maxWaiting', 1);
  for (const name of [
    'min',
    'acquireTimeout',
    'connectTimeout',
    'maxLifetime',
    'idleTimeout',
    'pingAfter',
    'leakAfter',
  ] as const) {
    checkNumber(resolved, name, 0);
  }
  if (resolved.min > resolved.max) {
    throw new UsageError(`Pool option min (${resolved.min}) is above max (${resolved.max}).`);
  }
  return Object.freeze(resolved);
}

function known(option: string, name: string | undefined, names: object): void {
  if (name === undefined || Object.hasOwn(names, name)) return;
  throw new UsageError(`Pool option ${option} must be one of ${Object.keys(names).join(', ')}.`);
}

function checkNumber<K extends keyof ResolvedPoolOptions>(options: ResolvedPoolOptions, name: K, least: number): void {
  const value: unknown = options[name];
  if (typeof value === 'number' && value >= least) return;
  throw new UsageError(`Pool option ${name} must be a number from ${least} up, not ${String(value)}.`);
}
