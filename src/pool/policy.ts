// What a pool does with its connections beyond opening and closing them, as a few facts: everything else is the same
// for all policies.

/** The names of the policies. */
export type PoolPolicyName = 'queue' | 'null' | 'static' | 'assertion';

/** Settings of a pool that a policy may decide. */
export interface PolicySettings {
  readonly max?: number;
  readonly min?: number;
  readonly maxLifetime?: number;
  readonly idleTimeout?: number;
  readonly callSites?: true;
}

/** One policy. */
export interface PoolPolicy {
  /** Settings that follow from it, whatever else was asked for. */
  readonly settings: PolicySettings;
  /** A connection that came back may go out again. */
  readonly reuse: boolean;
  /** One connection is out many times at once. */
  readonly shared: boolean;
  /** A checkout while another lasts is a mistake. */
  readonly alone: boolean;
}

const QUEUE: PoolPolicy = { settings: {}, reuse: true, shared: false, alone: false };

/** The policies by name. */
export const POLICIES: Readonly<Record<PoolPolicyName, PoolPolicy>> = Object.freeze({
  queue: QUEUE,
  null: { ...QUEUE, settings: { min: 0 }, reuse: false },
  static: {
    ...QUEUE,
    settings: { max: 1, min: 1, maxLifetime: Number.MAX_SAFE_INTEGER, idleTimeout: Number.POSITIVE_INFINITY },
    shared: true,
  },
  assertion: { ...QUEUE, settings: { max: 1, min: 0, callSites: true }, alone: true },
});
