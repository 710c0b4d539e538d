import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { installedVersions, startPostgres } from '../servers.ts';

describe('PostgreSQL majors', () => {
  for (const version of [14, 15, 16, 17, 18]) {
    const skip = installedVersions().includes(version) ? false : 'not installed: node scripts/setup/matrix.mjs';
    it(`starts PostgreSQL ${version}, with TLS, a role of its own and a restart`, { skip }, async () => {
      await using server = await startPostgres({ version, tls: true, maxConnections: 12 });
      const [row] = await server.query<{ v: string; m: string }>(
        `SELECT current_setting('server_version') AS v, current_setting('max_connections') AS m`,
      );
      assert.equal(Number.parseInt(row?.v ?? '', 10), version);
      assert.equal(row?.m, '12');
      await server.role('someone', { connectionLimit: 3 });
      await server.restart();
      assert.equal(await server.connectionCount(), 0);
    });
  }
});
