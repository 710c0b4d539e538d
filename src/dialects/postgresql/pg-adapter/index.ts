// The adapter's face: a driver over node-postgres that takes the options of the driver beside it.
import type { PostgresOptions } from '../driver/options.ts';
import { driverOver, type PostgresDriver } from '../driver/postgres-driver.ts';
import { openPgConnection } from './open-connection.ts';

/** A driver by the package `pg`, which is loaded at the first connection. UsageError if an option is wrong. */
export function createPgDriver(options: PostgresOptions): PostgresDriver {
  return driverOver(openPgConnection, options);
}
