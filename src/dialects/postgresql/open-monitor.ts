// The module a broker's thread loads to ask a PostgreSQL server: nothing live can be sent there, options can.
import type { ServerMonitor } from '../../driver/monitor.ts';
import { createPostgresDriver, type PostgresOptions } from './driver/index.ts';
import { createPostgresMonitor } from './monitor.ts';

/** A monitor over a connection of its own, opened at the first question. */
export function openMonitor(options: PostgresOptions): ServerMonitor {
  return createPostgresMonitor(createPostgresDriver(options));
}
