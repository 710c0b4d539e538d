// One process of the usual way: it evaluates a module that makes a pool, as each process of a service does, and asks.
// Nothing in it is wrong; there are only several of it.
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

/** How one query ended, as it is told to the parent. */
export type Ending = 'ok' | 'refused' | 'failed';

const QUERIES_AT_ONCE = 8;

const pool = new pg.Pool({ max: QUERIES_AT_ONCE, connectionString: process.env['DATABASE_URL'] });
pool.on('error', () => undefined);

async function ask(): Promise<Ending> {
  try {
    await pool.query('select pg_sleep(0.25)');
    return 'ok';
  } catch (error) {
    // 53300: the server has no connection left.
    return error instanceof Error && 'code' in error && error.code === '53300' ? 'refused' : 'failed';
  }
}

// Several requests come in at once, again and again, until the parent has seen enough.
process.on('disconnect', () => process.exit());
for (;;) {
  const requests = Array.from({ length: QUERIES_AT_ONCE }, async () => {
    process.send?.(await ask());
  });
  await Promise.all([...requests, sleep(250)]);
}
