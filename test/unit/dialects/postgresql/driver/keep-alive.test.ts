// What the kernel is told about silent peers.
import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { createPostgresDriver, type PostgresOptions } from '../../../../../src/dialects/postgresql/driver/index.ts';
import { UsageError } from '../../../../../src/errors/index.ts';
import { scriptedServer } from './scripted-server.ts';

/** The arguments of each call of `setKeepAlive` while connecting. */
async function told(context: TestContext, extra: Partial<PostgresOptions>): Promise<readonly unknown[][]> {
  const calls: unknown[][] = [];
  const real = Socket.prototype.setKeepAlive;
  const watched = context.mock.method(Socket.prototype, 'setKeepAlive', function (this: Socket, ...given: unknown[]) {
    calls.push(given);
    return (real as (...all: unknown[]) => Socket).apply(this, given);
  });
  await using server = await scriptedServer((peer) => peer.login());
  const options = { host: '127.0.0.1', port: server.port, user: 'u', sslMode: 'disable', ...extra } as const;
  const connection = await createPostgresDriver(options).connect();
  connection.destroy();
  watched.mock.restore();
  return calls;
}

test('keepalive is on after 30 s of silence unless told otherwise', async (context) => {
  assert.deepEqual(await told(context, {}), [[true, 30_000, undefined, undefined]]);
  const keepAlive = { idle: 5000, interval: 1000, count: 3 };
  assert.deepEqual(await told(context, { keepAlive }), [[true, 5000, 1000, 3]]);
  assert.deepEqual(await told(context, { keepAlive: false }), []);
  for (const wrong of [{ idle: 0 }, { interval: 1.5 }, { count: -1 }])
    assert.throws(() => createPostgresDriver({ user: 'u', keepAlive: wrong }), UsageError);
});
