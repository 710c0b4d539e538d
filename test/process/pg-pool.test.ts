// Libraries written for `pg` on athanor's pool: each runs as it does on its own, and all of them, in several processes,
// stay within one budget.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { Pool } from '../../src/pg-pool.ts';
import { startPostgres, type TestServer } from '../servers.ts';
import { withDrizzle, withKysely, withTypeorm } from './programs/pg-pool-libraries.ts';

const program = fileURLToPath(new URL('./programs/pg-pool-libraries.ts', import.meta.url));

async function runs(url: string, prefix: string, size: number): Promise<void> {
  const { ATHANOR_BUDGET: _none, ...environment } = process.env;
  const env = { ...environment, TEST_DATABASE_URL: url };
  const child = spawn(process.execPath, [program, prefix, String(size)], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const [code] = await once(child, 'close');
  assert.equal(code, 0, err);
  assert.match(out, /done/);
}

/** Counts the server's client connections as fast as it can, its own left out, until told to stop. */
async function sampler(server: TestServer): Promise<() => Promise<{ peak: number; samples: number }>> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  let open = true;
  let [peak, samples] = [0, 0];
  const counting = (async () => {
    while (open) {
      const { rows } = await client.query(
        `select count(*)::int as n from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
      );
      peak = Math.max(peak, rows[0].n as number);
      samples += 1;
    }
  })();
  return async () => {
    open = false;
    await counting;
    await client.end();
    return { peak, samples };
  };
}

describe('libraries on athanor/pg-pool', () => {
  let server: TestServer;
  before(async () => {
    server = await startPostgres({ maxConnections: 30 });
  });
  after(() => server.stop());

  for (const [name, run] of [
    ['Drizzle', withDrizzle],
    ['Kysely', withKysely],
  ] as const) {
    it(`[X31] ${name}: a table, returning, a join, a rollback, a unique violation`, { timeout: 30_000 }, async () => {
      const pool = new Pool({ connectionString: server.url, max: 3, budget: 5 });
      await run(pool, `${name.toLowerCase()}_alone`);
      assert.equal(pool.waitingCount, 0);
      assert.equal(pool.idleCount, pool.totalCount);
      await pool.end();
    });
  }

  it('[X31] TypeORM: a table, returning, a join, a rollback, a unique violation', { timeout: 30_000 }, async () => {
    await withTypeorm({ connectionString: server.url, max: 3, budget: 5 }, 'typeorm_alone');
  });

  it('[X31] two processes of all three never have more connections than their budget', {
    timeout: 90_000,
  }, async () => {
    const stop = await sampler(server);
    await Promise.all([runs(server.url, 'a', 5), runs(server.url, 'b', 5)]);
    const { peak, samples } = await stop();
    assert.ok(samples > 100, `${samples} samples`);
    assert.ok(peak <= 5, `${peak} connections at once`);
    assert.ok(peak >= 4, `only ${peak} connections at once: nothing was shared`);
  });
});
