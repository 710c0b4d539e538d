// What a broker asks: limits as the server has them, who is still there, and an end for exactly one session.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ServerMonitor } from '../../src/driver/monitor.ts';
import { createPostgresDriver } from '../../src/dialects/postgresql/driver/index.ts';
import { createPostgresMonitor } from '../../src/dialects/postgresql/monitor.ts';
import { parsePostgresUrl } from '../../src/dialects/postgresql/url.ts';
import { ConnectError, StateError, UsageError } from '../../src/errors/index.ts';
import { startPostgres, type TestServer } from '../servers.ts';
import { open, run } from './postgresql-driver-kit.ts';

let server: TestServer;
before(async () => {
  server = await startPostgres({ maxConnections: 20, settings: { reserved_connections: '2' } });
});
after(() => server.stop());

const monitorOf = (url: string): ServerMonitor =>
  createPostgresMonitor(createPostgresDriver(parsePostgresUrl(url, {})));

test('limits count what others hold, within max_connections, the role and the database', async () => {
  const monitor = monitorOf(server.url);
  const [ours, theirs] = [await open(server.url), await open(server.url)];
  const limits = await monitor.limits([ours.identity]);
  assert.deepEqual([limits.available, limits.others], [15, 1]);
  assert.match(limits.text, /max_connections 20 less 5 reserved; others hold 1/);
  assert.equal((await monitor.limits([])).others, 2);
  assert.equal((await monitor.limits([{ pid: ours.identity.pid }, theirs.identity])).others, 0);
  assert.equal(
    (await monitor.limits([{ pid: ours.identity.pid, start: '2000-01-01T00:00:00.000000Z' }])).others,
    2,
    'the pid alone is not the session',
  );

  const url = await server.role('narrow', { connectionLimit: 4 });
  const narrow = monitorOf(url);
  const inside = await open(url);
  assert.deepEqual(await narrow.limits([]), {
    available: 4,
    others: 1,
    text: "the role's connection limit 4; others hold 1",
  });
  await server.query('alter database narrow connection limit 3');
  assert.deepEqual(await narrow.limits([inside.identity]), {
    available: 3,
    others: 0,
    text: "the database's connection limit 3; others hold 0",
  });
  await Promise.all([ours.close(), theirs.close(), inside.close(), narrow.close(), monitor.close()]);
});

test('alive, sessions and terminate know a session by pid and start', async () => {
  const monitor = monitorOf(server.url);
  const one = await open(server.url, {}, { applicationName: 'ath_x%/1' });
  const two = await open(server.url, {}, { applicationName: 'ath_x%/2' });
  const three = await open(server.url, {}, { applicationName: 'athyx%/2' });
  const other = { pid: one.identity.pid, start: '2000-01-01T00:00:00.000000Z' };
  assert.deepEqual(await monitor.alive([one.identity, other, { pid: 1 }]), [one.identity]);
  assert.deepEqual(await monitor.alive([]), []);
  const listed = await monitor.sessions('ath_x%/');
  assert.deepEqual(listed.map(({ applicationName }) => applicationName).sort(), ['ath_x%/1', 'ath_x%/2']);
  assert.deepEqual(
    listed.find(({ pid }) => pid === two.identity.pid),
    { ...two.identity, applicationName: 'ath_x%/2' },
  );

  await monitor.terminate(other);
  await assert.rejects(monitor.terminate({ pid: two.identity.pid }), UsageError);
  assert.equal((await monitor.alive([one.identity, two.identity])).length, 2);
  const gone = new Promise((resolve) => {
    one.onLost = resolve;
  });
  await monitor.terminate(one.identity);
  await gone;
  // The session says goodbye before the server has forgotten it.
  await server.query('select pg_terminate_backend($1, 5000)', [one.identity.pid]);
  assert.deepEqual(await monitor.alive([one.identity, two.identity]), [two.identity]);
  await Promise.all([two.close(), three.close(), monitor.close()]);
});

test("other roles' sessions count though their kind is hidden", async () => {
  const url = await server.role('blind');
  const monitor = monitorOf(url);
  const others = await Promise.all([open(server.url), open(server.url)]);
  assert.equal((await monitor.limits([])).others, 2);
  const known = others.map(({ identity }) => identity);
  assert.deepEqual(new Set(await monitor.alive(known)), new Set(known), 'what cannot be seen is taken for alive');
  await Promise.all([...others.map((one) => one.close()), monitor.close()]);
});

test('a monitor opens its connection when asked, again when it was lost, and none after close', async () => {
  const monitor = monitorOf(server.url);
  await monitor.limits([]);
  await server.query(
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'athanor monitor'`,
  );
  const watching = await open(server.url);
  for (let tries = 0; tries < 3; tries++)
    if (
      await monitor.limits([]).then(
        () => true,
        () => false,
      )
    )
      break;
  assert.equal((await monitor.limits([])).others, 1);
  await run(watching, 'select 1');
  await watching.close();
  await monitor.close();
  await assert.rejects(monitor.limits([]), StateError);
  await assert.rejects(
    createPostgresMonitor(createPostgresDriver({ host: '127.0.0.1', port: 1, user: 'u' })).limits([]),
    ConnectError,
  );
});
