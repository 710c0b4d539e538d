// The pool's promises, kept with a real server on the other side: what it says is compared with what the server lists.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Engine } from '../../src/engine/engine.ts';
import { LocalPermits } from '../../src/pool/local-permits.ts';
import { NestedCheckoutError, PoolTimeoutError, ServerFullError } from '../../src/index.ts';
import type { Connection } from '../../src/engine/connection.ts';
import { type Place, places } from './engine-kit.ts';
import { run } from '../unit/pool/pool-fixture.ts';

async function serverPid(connection: Connection): Promise<number> {
  const [pid] = await connection.raw('select pg_backend_pid()').scalars();
  await connection.commit();
  return pid as number;
}

/** Checks out, asks which server process it is, and gives back. */
async function pidOf(engine: Engine): Promise<number> {
  const connection = await engine.connect();
  try {
    return await serverPid(connection);
  } finally {
    await connection.close();
  }
}

const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('pool on PostgreSQL', () => {
  let place: Place;
  before(async () => {
    place = await places.postgresql();
  });
  after(() => place.stop());

  async function listed(): Promise<number> {
    return (await place.server?.connectionCount()) ?? -1;
  }

  it('[F024] grows only under concurrency, is bounded, and waits with a deadline that names the holders', async () => {
    const engine = await place.engine({ max: 2 });
    await engine.dispose();
    const [one, two] = [await engine.connect(), await engine.connect()];
    await one.raw('select 1');
    await two.raw('select 2');
    await one.commit();
    assert.equal(await listed(), 2);
    const begun = performance.now();
    await assert.rejects(engine.connect({ timeout: 300 }), (error: PoolTimeoutError) => {
      assert.ok(error instanceof PoolTimeoutError);
      assert.equal(error.holders.length, 2);
      assert.match(error.message, /2 of 2 open.*last statement: select 2; taken at .*pool\.test\.ts/s);
      return true;
    });
    assert.ok(performance.now() - begun < 550);
    await one.close();
    const three = await engine.connect();
    assert.equal(await listed(), 2);
    await two.close();
    await three.close();
    await engine.close();
    assert.equal(await listed(), 0);
  });

  it('[F025] gives out the last used first, or the first used first', async () => {
    for (const order of ['lifo', 'fifo'] as const) {
      const engine = await place.engine({ max: 3, pool: { order } });
      const connections = [await engine.connect(), await engine.connect(), await engine.connect()];
      const pids = [];
      for (const connection of connections) pids.push(await serverPid(connection));
      for (const connection of connections) await connection.close();
      assert.equal(await pidOf(engine), pids[order === 'lifo' ? 2 : 0]);
      await engine.close();
    }
  });

  it('[F026] a connection that idled is pinged; one that died unseen is replaced, with its generation', async () => {
    const engine = await place.engine({ max: 2, pool: { pingAfter: 50 } });
    const [one, two] = [await engine.connect(), await engine.connect()];
    const pids = [await serverPid(one), await serverPid(two)];
    await one.close();
    await two.close();
    await wait(60);
    assert.ok(pids.includes(await pidOf(engine)));
    // The server is cut off in the same tick as the checkout: the socket does not know yet.
    const invalidated: string[] = [];
    engine.pool.on('invalidate', (_, reason) => invalidated.push(reason));
    await wait(60);
    await place.server?.query('select pg_terminate_backend(unnest($1::int[]))', [pids]);
    assert.ok(!pids.includes(await pidOf(engine)));
    assert.ok(invalidated.length > 0);
    await engine.close();
  });

  it('[F027] a connection is replaced at its age, at checkout, never while out', async () => {
    const engine = await place.engine({ max: 1, pool: { maxLifetime: 200 } });
    const connection = await engine.connect();
    const pid = await serverPid(connection);
    await wait(220);
    assert.equal(await serverPid(connection), pid);
    await connection.close();
    assert.notEqual(await pidOf(engine), pid);
    await engine.close();
  });

  it('[F028] invalidate() replaces all that is open; a connection can be dropped now or on its return', async () => {
    const engine = await place.engine({ max: 2 });
    const out = await engine.connect();
    const pid = await serverPid(out);
    engine.invalidate();
    assert.equal(await serverPid(out), pid);
    await out.close();
    const next = await engine.connect();
    const nextPid = await serverPid(next);
    assert.notEqual(nextPid, pid);
    await next.invalidate();
    assert.notEqual(await serverPid(next), nextPid);
    await next.close();
    const lease = await engine.pool.acquire();
    const softPid = lease.connection.identity.pid;
    lease.invalidate('test', true);
    assert.equal(lease.usable, true);
    lease.release();
    assert.notEqual(await pidOf(engine), softPid);
    await engine.close();
  });

  it('[F029] what comes back in a transaction is rolled back, committed or closed, as told', async () => {
    const statement = { text: { sql: 'BEGIN', params: [], results: undefined, prepare: false }, params: [] };
    for (const resetOnReturn of ['rollback', 'commit', 'none'] as const) {
      const engine = await place.engine({ max: 1, pool: { resetOnReturn } });
      const resets: string[] = [];
      engine.pool.on('reset', (_, sql) => resets.push(sql));
      const lease = await engine.pool.acquire();
      const pid = lease.connection.identity.pid;
      const insert = { ...statement, text: { ...statement.text, sql: `insert into item values (1, 'left')` } };
      await lease.submit([statement, insert], { row() {} });
      lease.settled();
      const warning = new Promise<Error>((resolve) => process.once('warning', resolve));
      lease.release();
      assert.match((await warning).message, /came back to its pool inside a transaction; taken at .*pool\.test\.ts/);
      const connection = await engine.connect();
      const left = await connection.raw('select 1 from item where id = 1');
      assert.equal(left.length, resetOnReturn === 'commit' ? 1 : 0);
      await connection.rollback();
      assert.equal((await serverPid(connection)) === pid, resetOnReturn !== 'none');
      assert.deepEqual(resets, resetOnReturn === 'none' ? [] : [resetOnReturn.toUpperCase()]);
      await connection.close();
      await engine.close();
    }
  });

  it('[F033] each step of a connection can be observed', async () => {
    const first = await place.engine({ max: 1 });
    await first.close();
    const { dialect } = first;
    const engine = new Engine({ dialect, permits: new LocalPermits({ max: 1 }), url: 'test' });
    const heard: string[] = [];
    const names = ['firstConnect', 'connect', 'checkout', 'checkin', 'reset', 'invalidate', 'softInvalidate'] as const;
    for (const name of [...names, 'close', 'detach', 'closeDetached'] as const) {
      engine.pool.on(name, () => void heard.push(name));
    }
    await pidOf(engine);
    const connection = await engine.connect();
    await connection.invalidate();
    await connection.close();
    const lease = await engine.pool.acquire();
    lease.invalidate('test', true);
    lease.release();
    const kept = await engine.pool.acquire();
    await run(kept, 'BEGIN');
    kept.release();
    const last = await engine.pool.acquire();
    last.detach();
    last.release();
    await engine.close();
    assert.deepEqual(
      heard.filter((step) => step !== 'close'),
      [
        ...['firstConnect', 'connect', 'checkout', 'checkin', 'checkout', 'invalidate'],
        ...['connect', 'checkout', 'softInvalidate', 'checkin'],
        ...['connect', 'checkout', 'checkin', 'reset', 'checkout', 'detach', 'checkin', 'closeDetached'],
      ],
    );
    assert.equal(heard.filter((step) => step === 'close').length, 2);
  });

  it('[T29] a thousand waiters on two connections are served in order, and a cancelled one loses no connection', async () => {
    const engine = await place.engine({ max: 2 });
    const abort = new AbortController();
    const order: number[] = [];
    let cancelled = 0;
    await Promise.all(
      Array.from({ length: 1_000 }, async (_, number) => {
        const connection = await engine
          .connect(number % 10 === 9 ? { signal: abort.signal, timeout: 20_000 } : { timeout: 20_000 })
          .catch((error: { code: string }) => {
            assert.equal(error.code, 'ATH_CANCELLED');
            cancelled += 1;
          });
        if (connection === undefined) return;
        order.push(number);
        if (number === 100) abort.abort();
        await connection.raw('select 1');
        await connection.close();
      }),
    );
    assert.ok(cancelled > 80);
    assert.equal(order.length + cancelled, 1_000);
    assert.deepEqual(
      order,
      [...order].sort((one, other) => one - other),
    );
    assert.equal(engine.status.open, 2);
    assert.equal(engine.status.inUse, 0);
    await engine.close();
  });

  it('[X03] [T27] a server filled by others is waited for inside the deadline, then one error names it', async () => {
    const engine = await place.engine({ max: 2 });
    const held = await engine.connect();
    await serverPid(held);
    const others = await place.engine({ max: 20, pool: { acquireTimeout: 300 } });
    const taken: Connection[] = [];
    for (;;) {
      const connection = await others.connect().catch((error: unknown) => error);
      if (connection instanceof PoolTimeoutError) {
        // On a busy machine a connection may only be slow: the server is full when it says so.
        if (connection.cause instanceof ServerFullError) break;
        continue;
      }
      taken.push(connection as Connection);
    }
    const begun = performance.now();
    await assert.rejects(engine.connect({ timeout: 700 }), (error: PoolTimeoutError) => {
      assert.ok(error instanceof PoolTimeoutError);
      assert.ok(error.cause instanceof ServerFullError, String(error.cause));
      assert.match(error.message, /within 7\d\d ms/);
      assert.deepEqual(
        error.holders.map(({ connectionId }) => connectionId),
        [held.connectionId],
      );
      return true;
    });
    assert.ok(performance.now() - begun < 950);
    const waiting = engine.connect({ timeout: 5_000 });
    await wait(200);
    await taken.pop()?.close();
    await others.dispose();
    await (await waiting).close();
    for (const connection of [held, ...taken]) await connection.close();
    await others.close();
    await engine.close();
  });

  it('a second connection of one task, with none left, is refused at once and names the first', async () => {
    const engine = await place.engine({ max: 1 });
    const begun = performance.now();
    await assert.rejects(
      engine.begin(async (connection) => {
        await connection.raw('select 42');
        await engine.begin((inner) => inner.raw('select 43').all());
      }),
      (error: NestedCheckoutError) => error instanceof NestedCheckoutError && /select 42/.test(error.message),
    );
    assert.ok(performance.now() - begun < 150);
    // Outside callback scopes the knot is seen when nobody moves.
    const holder = await engine.connect();
    await holder.raw('select 44');
    await assert.rejects(engine.connect(), NestedCheckoutError);
    await holder.close();
    await engine.close();
  });

  it('[F036] a connection whose holder was garbage collected is reported, closed on the server, and its place freed', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const engine = await place.engine({ max: 1 });
    let reported: Error | undefined;
    const warning = new Promise<Error>((resolve) => process.once('warning', resolve)).then((warned) => {
      reported = warned;
    });
    async function forget(): Promise<number> {
      const connection = await engine.connect();
      await connection.raw(`insert into item values (9, 'forgotten')`);
      return connection.driverConnection.identity.pid;
    }
    const pid = await forget();
    for (let round = 0; round < 100 && reported === undefined; round += 1) {
      await wait(5);
      collect();
    }
    await warning;
    assert.match(reported?.message ?? '', /never given back.*taken at .*forget.*pool\.test\.ts.*insert into item/);
    await engine.begin(async (connection) => {
      assert.deepEqual(await connection.raw('select id from item where id = 9'), []);
      assert.notEqual(connection.driverConnection.identity.pid, pid);
    });
    assert.equal(await listed(), 1);
    await engine.close();
  });

  it('idle connections go after a while', async () => {
    const engine = await place.engine({ max: 3, pool: { idleTimeout: 100, min: 1 } });
    const connections = await Promise.all([engine.connect(), engine.connect(), engine.connect()]);
    assert.equal(await listed(), 3);
    const gone = new Promise<void>((resolve) => {
      let count = 0;
      engine.pool.on('close', () => (++count === 2 ? resolve() : undefined));
    });
    for (const connection of connections) await connection.close();
    await gone;
    await wait(200);
    assert.equal(await listed(), 1);
    await engine.close();
  });
});
