// Terminates the server processes it is told on its standard input, and ends when they are gone.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const { target, pids } = JSON.parse(readFileSync(0, 'utf8')) as { target: pg.ClientConfig; pids: number[] };
const client = new pg.Client({ ...target, application_name: 'terminator' });
await client.connect();
await client.query('select pg_terminate_backend(pid) from unnest($1::int[]) as pid', [pids]);
for (;;) {
  const { rowCount } = await client.query('select 1 from pg_stat_activity where pid = any($1)', [pids]);
  if (rowCount === 0) break;
  await sleep(5);
}
await client.end();
