// The built package: libraries tell a pool from a client by the name of its class, which a bundler may change.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { Pool } from 'athanor/pg-pool';
import { startPostgres, type TestServer } from '../servers.ts';

let server: TestServer;
before(async () => {
  server = await startPostgres({ maxConnections: 20 });
});
after(() => server.stop());

it('[X31] athanor/pg-pool is published, and its pool is called one', async () => {
  assert.match(Pool.name, /Pool/);
  const pool = new Pool({ connectionString: server.url, budget: 3 });
  try {
    assert.deepEqual((await pool.query('select $1::int8 as n', [1])).rows, [{ n: '1' }]);
    await assert.rejects(pool.query('select'.slice(1)), { code: '42601', name: 'error' });
  } finally {
    await pool.end();
  }
  assert.equal(await server.connectionCount(), 0);
});
