// How a connection ends: on purpose, by the server, by a reader that fails. The process always goes on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DriverConnection } from '../../src/driver/driver.ts';
import { ConnectError, ConnectionLostError } from '../../src/errors/index.ts';
import { one, run } from '../integration/postgresql-driver-kit.ts';
import type { Bench } from './contract-bench.ts';

const lostOf = (connection: DriverConnection): Promise<Error> =>
  new Promise((resolve) => {
    connection.onLost = (error) => {
      resolve(error);
      throw new TypeError('an owner that fails');
    };
  });

export function endCases(bench: Bench): void {
  const terminate = (pid: number) => bench.reached.server.query('select pg_terminate_backend($1)', [pid]);

  test('close lets what is under way finish, waits for the server, and may be called again', async () => {
    const { server } = bench.reached;
    const before = await server.connectionCount();
    const other = await bench.reached.driver().connect();
    let told = 0;
    other.onLost = () => {
      told += 1;
    };
    const sleeping = run(other, 'select pg_sleep(0.1)');
    const closing = other.close();
    await Promise.all([sleeping, closing, other.close()]);
    assert.equal(other.status, 'closed');
    if (bench.way.transport !== 'pgbouncer') assert.equal(await server.connectionCount(), before);
    await assert.rejects(run(other, 'select 1'), { outcome: 'not-sent' });
    assert.equal(told, 0);
  });

  test('destroy settles what was under way and tells of no loss', async () => {
    let told = 0;
    bench.connection.onLost = () => {
      told += 1;
    };
    const calls = Promise.allSettled([bench.run('select pg_sleep(30)'), bench.run('select 1')]);
    bench.connection.destroy();
    for (const outcome of await calls)
      assert.ok(outcome.status === 'rejected' && outcome.reason instanceof ConnectionLostError);
    assert.equal(bench.connection.status, 'closed');
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(told, 0);
  });

  bench.sessionTest('a session that the server ends is told once, with what became of each call', async () => {
    const gone = lostOf(bench.connection);
    const calls = Promise.allSettled([bench.run('select pg_sleep(30)'), bench.run('select 1')]);
    await bench.reached.server.query('select 1');
    await terminate(bench.connection.identity.pid);
    const outcomes = await calls;
    for (const outcome of outcomes)
      assert.ok(outcome.status === 'rejected' && outcome.reason instanceof ConnectionLostError);
    assert.equal((outcomes[0] as PromiseRejectedResult).reason.outcome, 'failed');
    assert.ok((await gone) instanceof ConnectionLostError);
    await assert.rejects(bench.run('select 1'), { outcome: 'not-sent', code: 'ATH_CONNECTION_LOST' });
  });

  bench.sessionTest('an idle session that the server ends is noticed without being used', async () => {
    const gone = lostOf(bench.connection);
    await terminate(bench.connection.identity.pid);
    assert.ok((await gone) instanceof ConnectionLostError);
    assert.equal(bench.connection.status, 'closed');
  });

  test('a sink that throws costs its connection, and its batch gets that error', async () => {
    const gone = lostOf(bench.connection);
    const other = await bench.open();
    const failure = new TypeError('the reader fails');
    const text = { sql: 'select 1', params: [], results: undefined, prepare: true };
    await assert.rejects(
      bench.connection.submit([{ text, params: [] }], {
        row: () => {
          throw failure;
        },
      }),
      (error) => error === failure,
    );
    assert.ok((await gone) instanceof ConnectionLostError);
    assert.equal(await one(other, 'select 1'), 1);
  });

  test('a connection that cannot be had is an error of one kind, in time', async () => {
    const { driver, server } = bench.reached;
    await assert.rejects(driver({ password: 'wrong' }).connect(), { code: 'ATH_AUTHENTICATION' });
    await assert.rejects(driver({ password: undefined }).connect(), { code: 'ATH_AUTHENTICATION' });
    await assert.rejects(driver({ port: 1 }).connect(), ConnectError);
    await assert.rejects(driver().connect({ signal: AbortSignal.abort() }), { code: 'ATH_CANCELLED' });
    assert.ok(server.pid > 0);
  });

  test('a password is asked for at each connection', async () => {
    let asked = 0;
    const { password } = bench.reached.server;
    const driver = bench.reached.driver({
      password: async () => {
        asked += 1;
        return password;
      },
    });
    for (let i = 0; i < 2; i++) await (await driver.connect()).close();
    assert.equal(asked, 2);
  });
}
