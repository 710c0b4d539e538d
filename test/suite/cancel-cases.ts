// Cancelling: by signal and by method, on the server, and never the next statement.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CancelledError } from '../../src/errors/index.ts';
import { one, run, statement } from '../integration/postgresql-driver-kit.ts';
import type { Bench } from './contract-bench.ts';

export function cancelCases(bench: Bench): void {
  /** Resolves when the server runs the statement. */
  async function running(mark: string): Promise<void> {
    const sql = `select count(*)::int4 as n from pg_stat_activity where state = 'active' and query like '%${mark}%' and pid <> pg_backend_pid()`;
    for (const end = performance.now() + 10_000; performance.now() < end; ) {
      const [row] = await bench.reached.server.query<{ n: number }>(sql);
      if (row?.n === 1) return;
    }
    assert.fail(`the server never ran ${mark}`);
  }

  test('a signal stops the statement on the server; its reason is the cause; the connection goes on', async () => {
    const reason = new Error('no longer wanted');
    const stop = new AbortController();
    const sleeping = bench.run('select pg_sleep(30) /* by signal */', [], { signal: stop.signal });
    sleeping.catch(() => {});
    await running('by signal');
    stop.abort(reason);
    await assert.rejects(sleeping, (error) => error instanceof CancelledError && error.cause === reason);
    assert.equal(bench.connection.status, 'idle');
    assert.equal(await bench.one('select 1'), 1);
  });

  test('a signal that fires at once stops it too, and one that has fired sends nothing', async () => {
    const stop = new AbortController();
    const sleeping = bench.run('select pg_sleep(30)', [], { signal: stop.signal });
    stop.abort();
    await assert.rejects(sleeping, CancelledError);
    await assert.rejects(bench.run('select 1', [], { signal: stop.signal }), { outcome: 'not-sent' });
    assert.equal(await bench.one('select 1'), 1);
  });

  test('one that waits behind another is taken out unsent', async () => {
    const stop = new AbortController();
    const first = bench.run('select pg_sleep(0.2)', [], { signal: new AbortController().signal });
    const waiting = bench.run('select 1', [], { signal: stop.signal });
    stop.abort();
    await assert.rejects(waiting, (error) => error instanceof CancelledError && error.outcome === 'not-sent');
    await first;
  });

  test('a cancel never meets the next statement', async () => {
    for (let i = 0; i < 60; i++) {
      const stop = new AbortController();
      const short = bench.run(`select pg_sleep(${(i % 10) / 2000})`, [], { signal: stop.signal, prepare: false });
      const behind = bench.one('select 7');
      setTimeout(() => stop.abort(), i % 5);
      await short.catch((error: unknown) => assert.ok(error instanceof CancelledError, String(error)));
      assert.equal(await behind, 7);
    }
  });

  test('a cancel in a transaction fails the transaction, not the connection', async () => {
    const stop = new AbortController();
    const batch = [statement('begin'), statement('select pg_sleep(30) /* in a transaction */')];
    const sleeping = bench.connection.submit(batch, { row: () => {} }, { signal: stop.signal });
    sleeping.catch(() => {});
    await running('in a transaction');
    stop.abort();
    await assert.rejects(sleeping, CancelledError);
    assert.equal(bench.connection.status, 'failed');
    await bench.run('rollback');
    assert.equal(await bench.one('select 1'), 1);
  });

  test('by method it stops what runs on this connection alone', async () => {
    await bench.connection.cancel();
    const other = await bench.open();
    const fine = one(other, 'select pg_sleep(0.3)::text || $1', ['fine']);
    const sleeping = run(bench.connection, 'select pg_sleep(30) /* by method */');
    sleeping.catch(() => {});
    await running('by method');
    await bench.connection.cancel();
    await assert.rejects(sleeping, CancelledError);
    assert.equal(await fine, 'fine');
  });

  test('no listener is left on a signal', async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const counted = new Proxy(signal, {
      get(target, name) {
        if (name === 'addEventListener') listeners += 1;
        if (name === 'removeEventListener') listeners -= 1;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    for (let i = 0; i < 20; i++) await bench.run('select 1', [], { signal: counted });
    assert.equal(listeners, 0);
  });
}
