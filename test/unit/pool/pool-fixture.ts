// A pool on a driver without a server and on a clock that stands still.
import type { DriverStatement } from '../../../src/driver/driver.ts';
import type { Lease } from '../../../src/pool/lease.ts';
import { LocalPermits } from '../../../src/pool/local-permits.ts';
import { Pool } from '../../../src/pool/pool.ts';
import type { PoolOptions } from '../../../src/pool/pool-options.ts';
import { FakeClock } from '../../../src/testing/clock.ts';
import { FakeDriver } from '../../../src/testing/fake-driver.ts';

export function statement(sql: string): DriverStatement {
  return { text: { sql, params: [], results: undefined, prepare: false }, params: [] };
}

export const STATEMENTS = {
  ping: statement('select 1'),
  rollback: statement('ROLLBACK'),
  commit: statement('COMMIT'),
};

export interface Fixture {
  readonly pool: Pool;
  readonly driver: FakeDriver;
  readonly clock: FakeClock;
  readonly permits: LocalPermits;
}

export function fixture(options: Partial<PoolOptions> & { permitted?: number } = {}): Fixture {
  const { permitted = 2, ...rest } = options;
  const driver = new FakeDriver();
  const clock = new FakeClock();
  const permits = new LocalPermits({ max: permitted, clock });
  const pool = new Pool({
    connect: (_permit, connectOptions) => driver.connect(connectOptions),
    permits,
    statements: STATEMENTS,
    clock,
    random: () => 0.5,
    ...rest,
  });
  return { pool, driver, clock, permits };
}

/** Runs one statement on a lease, as the engine does. */
export async function run(lease: Lease, sql: string): Promise<void> {
  const answer = lease.submit([statement(sql)], { row() {} });
  try {
    await answer;
  } finally {
    lease.settled();
  }
}

/** What a promise came to, without waiting for it. */
export function watch<T>(promise: Promise<T>): {
  state: 'pending' | 'resolved' | 'rejected';
  value?: T;
  error?: Error;
} {
  const watched: { state: 'pending' | 'resolved' | 'rejected'; value?: T; error?: Error } = { state: 'pending' };
  promise.then(
    (value) => Object.assign(watched, { state: 'resolved', value }),
    (error: Error) => Object.assign(watched, { state: 'rejected', error }),
  );
  return watched;
}

/** The next process warning with this code. */
export function nextWarning(code: string): Promise<Error> {
  return new Promise((resolve) => {
    const listen = (warning: Error & { code?: string }): void => {
      if (warning.code !== code) return;
      process.off('warning', listen);
      resolve(warning);
    };
    process.on('warning', listen);
  });
}
