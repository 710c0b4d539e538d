// The network between a program and its server: ends, resets, silence, one-way silence, slowness and latency, in each
// thing a connection can be doing. Nothing hangs, and nothing is reported as what it is not.
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../../src/engine/connection.ts';
import {
  type AthanorError,
  ConnectionLostError,
  OperationalError,
  StatementTimeoutError,
} from '../../src/errors/index.ts';
import type { FaultOrder, ProxyProcess } from '../../src/testing.ts';
import { faultLaboratory } from './harness.ts';
import type { Lab } from './lab.ts';

const fault = faultLaboratory();

const STATES = ['idle', 'in query', 'mid-row', 'mid-COPY'] as const;
type State = (typeof STATES)[number];

const MANY_ROWS = "select repeat('x', 10000) as filler from generate_series(1, 3000)";

interface Bounds {
  readonly timeout?: number;
}

/** Begins what the connection shall be doing; settles as that does. */
function doing(connection: Connection, state: State, { timeout }: Bounds): Promise<unknown> {
  const options = timeout === undefined ? {} : { timeout };
  if (state === 'idle') return connection.raw('select 1', [], options).all();
  if (state === 'in query') return connection.raw('select pg_sleep(20)', [], options).all();
  if (state === 'mid-row') return connection.raw(MANY_ROWS, [], options).all();
  return connection.copyTo(`copy (${MANY_ROWS}) to stdout`, () => {}, options);
}

interface Scene {
  readonly state: State;
  /** Ordered while the connection does what it does. */
  readonly strike: FaultOrder;
  readonly timeout?: number;
  /** How long until the failure is told. */
  readonly limit: number;
}

/** Puts a connection into a state, strikes, and gives the failure that is told. */
async function struck(lab: Lab, proxy: ProxyProcess, scene: Scene): Promise<AthanorError> {
  const { state, strike, timeout, limit } = scene;
  const engine = lab.engine({ proxy, max: 2, driver: { connectTimeout: 1_000 } });
  const connection = await engine.connect();
  await connection.raw('select 1').all();
  const [victim] = await lab.backends(engine);
  const rows = state === 'mid-row' || state === 'mid-COPY';
  // Slow enough that the fault meets it half way.
  if (rows) await proxy.order({ fault: 'slow', way: 'down', bytes: 4_000, every: 20 });
  const bounds = timeout === undefined ? {} : { timeout };
  let work: Promise<unknown> | undefined;
  if (state !== 'idle') {
    work = doing(connection, state, bounds);
    work.catch(() => {});
    if (rows) await sleep(100);
    else await lab.waitingFor(engine, 'active');
  }
  await proxy.order(strike);
  const error = await lab.within(limit, `${state}: until the failure is told`, () => {
    const failing = work ?? sleep(20).then(() => doing(connection, state, bounds));
    return lab.fails(failing);
  });
  await connection.close();
  await proxy.order({ fault: 'pass' });
  await lab.within(3_000, `${state}: until the server process is gone`, () =>
    lab.until(async () => !(await lab.backends(engine)).includes(victim as number), 'the server process is gone'),
  );
  return error;
}

for (const state of STATES) {
  fault(`[T16] FIN ${state}`, async (lab) => {
    const error = await struck(lab, await lab.proxy({ framed: false }), {
      state,
      strike: { fault: 'cut', how: 'fin' },
      limit: 500,
    });
    assert.ok(error instanceof ConnectionLostError, String(error));
  });

  fault(`[T17] RST ${state}`, async (lab) => {
    const error = await struck(lab, await lab.proxy({ framed: false }), {
      state,
      strike: { fault: 'cut', how: 'rst' },
      limit: 500,
    });
    assert.ok(error instanceof ConnectionLostError, String(error));
  });

  fault(`[T18] silence ${state}: the deadline ends it, and the server process ends with the silence`, async (lab) => {
    const error = await struck(lab, await lab.proxy({ framed: false }), {
      state,
      strike: { fault: 'silence' },
      timeout: 500,
      limit: 700,
    });
    assert.ok(error instanceof StatementTimeoutError, String(error));
  });
}

for (const way of ['up', 'down'] as const) {
  fault(`[T19] silence ${way} only: the deadline ends it`, async (lab) => {
    for (const state of ['idle', 'in query'] as const) {
      const error = await struck(lab, await lab.proxy(), {
        state,
        strike: { fault: 'silence', way },
        timeout: 500,
        limit: 700,
      });
      assert.ok(error instanceof StatementTimeoutError, String(error));
    }
  });
}

fault('[T20] half open: the server is gone and the client was not told', async (lab) => {
  for (const state of ['idle', 'in query'] as const) {
    const error = await struck(lab, await lab.proxy(), {
      state,
      strike: { fault: 'cut', how: 'half' },
      timeout: 500,
      limit: 700,
    });
    assert.ok(error instanceof StatementTimeoutError, String(error));
  }
});

fault(
  '[T18] silence during connect, and during authentication: the connect deadline holds over all of it',
  async (lab) => {
    for (const order of [
      { fault: 'silence' },
      { fault: 'hold', way: 'down', type: 'R' },
      { fault: 'hold', way: 'up', type: 'p' },
    ] as const) {
      const proxy = await lab.proxy();
      await proxy.order(order);
      const engine = lab.engine({ proxy, pool: { connectTimeout: 600 } });
      const error = await lab.within(600, `${order.fault}: connect deadline`, () => lab.fails(engine.connect()));
      assert.ok(error instanceof OperationalError, String(error));
      assert.equal(error.outcome, 'not-sent');
    }
  },
);

fault('[T21] one byte each 50 ms: the deadline is for all of it, not for each read', async (lab) => {
  const proxy = await lab.proxy({ framed: false });
  const engine = lab.engine({ proxy });
  const connection = await engine.connect();
  await connection.raw('select 1').all();
  await proxy.order({ fault: 'slow', way: 'down', bytes: 1, every: 50 });
  const error = await lab.within(1_200, 'deadline', () =>
    lab.fails(connection.raw("select 'a text that takes its time' as text", [], { timeout: 1_000 }).all()),
  );
  assert.ok(error instanceof StatementTimeoutError, String(error));
  await connection.close();
  // To connect, too, there is one deadline over all.
  const late = await lab.within(700, 'connect deadline', () =>
    lab.fails(lab.engine({ proxy, pool: { connectTimeout: 700 } }).connect()),
  );
  assert.equal(late.outcome, 'not-sent');
});

fault('[T22] latency of 5, 50 and 200 ms with jitter: a unit of work takes the same number of trips', async (lab) => {
  const proxy = await lab.proxy();
  const engine = lab.engine({ proxy, pool: { pingAfter: 60_000 } });
  await lab.ledger.write(engine);
  for (const delay of [0, 5, 50, 200]) {
    await proxy.order({ fault: 'pass' });
    if (delay > 0) await proxy.order({ fault: 'delay', delay, jitter: delay / 2 });
    const before = (await proxy.counts()).roundTrips;
    const begun = performance.now();
    const { acked } = await lab.ledger.write(engine);
    const took = performance.now() - begun;
    lab.figure(`unit of work at ${delay} ms`, took);
    assert.ok(acked);
    // BEGIN with the first statement, the second one, COMMIT.
    assert.equal((await proxy.counts()).roundTrips - before, 3);
    assert.ok(took >= 3 * 2 * delay, `${took} ms: the proxy did not delay`);
  }
});
