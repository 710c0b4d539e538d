// npm run test:ways: the integration tests again on every other way to a server: TLS, a Unix socket, PgBouncer, the pg
// adapter, older majors. `npm run test:ways -- tls pgbouncer+pg tcp@14` runs those named. The driver contract, which
// `npm test` runs on each way anyhow, is not repeated.

import { readdirSync } from 'node:fs';
import path from 'node:path';
import { bootstrap, command } from './bootstrap.mjs';
import { ensureMatrix } from './setup/matrix.mjs';
import { oneAtATime } from './setup/one-at-a-time.mjs';
import { root, say, SetupError, toolchainEnvironment } from './setup/paths.mjs';
import { ensurePgBouncer, findPgBouncer } from './setup/pgbouncer.mjs';
import { runShown } from './setup/run.mjs';

/** The transport, behind a plus the driver where it is not athanor's own, behind an at the major where it is not 18. */
const WAYS = ['tls', 'socket', 'pgbouncer', 'tcp+pg', 'tls+pg', 'pgbouncer+pg', 'tcp@14', 'tcp@16', 'tcp+pg@14'];
const NEVER = /^(?:sqlite|driver-contract|architecture-paths)/;
/** Through PgBouncer: the driver's tests name a server of their own, the pool's count the server's sessions. */
const NOT_POOLED = /^(?:postgresql-driver|pool\.)/;
const TEST_TIMEOUT = 240_000;

command(async () => {
  const given = process.argv.slice(2);
  const unknown = given.find((one) => !/^(?:tcp|tls|socket|pgbouncer)(?:\+pg)?(?:@1[4-8])?$/.test(one));
  if (unknown !== undefined) throw new SetupError(`${unknown} is no way; those there are: ${WAYS.join(', ')}.`);
  const node = await bootstrap();
  await oneAtATime(ensureMatrix);
  await oneAtATime(ensurePgBouncer);
  const failed = [];
  for (const way of given.length > 0 ? given : WAYS) if ((await run(node, way)) !== 0) failed.push(way);
  say(failed.length === 0 ? 'all ways are well' : `failed: ${failed.join(', ')}`);
  return failed.length === 0 ? 0 : 1;
});

async function run(node, way) {
  const [name, version = '18'] = way.split('@');
  const pooled = name.startsWith('pgbouncer');
  if (pooled && findPgBouncer() === undefined) {
    say(`${way}: skipped, there is no PgBouncer`);
    return 0;
  }
  const folder = path.join(root, 'test', 'integration');
  const files = readdirSync(folder).filter(
    (file) => file.endsWith('.test.ts') && !NEVER.test(file) && !(pooled && NOT_POOLED.test(file)),
  );
  say(`${way}: ${files.length} files`);
  const options = ['--test', '--test-concurrency=2', `--test-timeout=${TEST_TIMEOUT}`, '--test-reporter=dot'];
  const env = { ...toolchainEnvironment(node), ATHANOR_TEST_WAY: name, ATHANOR_TEST_PG: version };
  return runShown(node, [...options, ...files.map((file) => path.join(folder, file))], { env });
}
