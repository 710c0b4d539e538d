// Server processes that are told to end: idle, in the same moment as a write, inside a transaction, inside COMMIT.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { CommitOutcomeUnknownError, ConnectionLostError, StateError } from '../../src/errors/index.ts';
import { faultLaboratory } from './harness.ts';
import type { Lab } from './lab.ts';

const fault = faultLaboratory();

/** Terminates server processes while this process stands still. */
function terminateWhileBlocked(lab: Lab, pids: readonly number[]): void {
  const program = new URL('./programs/terminate.ts', import.meta.url);
  const { socketFolder, port, user, password, database } = lab.server;
  const order = JSON.stringify({ target: { host: socketFolder, port, user, password, database }, pids });
  execFileSync(process.execPath, [fileURLToPath(program)], { input: order, stdio: ['pipe', 'ignore', 'inherit'] });
}

fault('[T06] idle backends that are terminated cost no crash, and the next operation does not notice', async (lab) => {
  const engine = lab.engine({ max: 4 });
  await Promise.all(
    [1, 2, 3, 4].map(() => engine.begin((connection) => connection.raw('select pg_sleep(0.05)').all())),
  );
  assert.equal(engine.status.idle, 4);
  assert.equal(await lab.terminate(engine), 4);
  const begun = performance.now();
  const entry = await lab.ledger.write(engine);
  lab.figure('heal', performance.now() - begun);
  assert.ok(entry.acked, String(entry.error));
});

fault('[T07] terminated in the same tick as a write: run again only where nothing was sent', async (lab) => {
  const engine = lab.engine({ max: 2 });
  await Promise.all([1, 2].map(() => engine.begin((connection) => connection.raw('select pg_sleep(0.05)').all())));
  terminateWhileBlocked(lab, await lab.backends(engine));
  // The ends of both connections lie unread in this process now: what is written next goes to dead connections.
  const [first, second] = await lab.within(8_000, 'answers', () =>
    Promise.all([lab.ledger.write(engine), lab.ledger.write(engine)]),
  );
  // Whatever they were told is true, which the ledger is checked for; and whoever failed hears of a lost connection.
  for (const { acked, error } of [first, second]) {
    if (!acked) assert.ok(error instanceof ConnectionLostError, String(error));
  }
  const third = await lab.ledger.write(engine);
  assert.ok(third.acked, `an innocent later write got the error of a lost connection: ${String(third.error)}`);
});

const STEPS = ['before the first statement', 'between two statements', 'inside a savepoint', 'in a statement'] as const;

for (const step of STEPS) {
  fault(`terminated in a transaction, ${step}: unusable until rollback`, async (lab) => {
    const engine = lab.engine({ max: 2 });
    const connection = await engine.connect();
    const entry = await lab.ledger.track(2, async (work) => {
      if (step !== 'before the first statement') await lab.ledger.insert(connection, work, 0);
      if (step === 'inside a savepoint') await connection.beginNested();
      const running = step === 'in a statement' ? connection.raw('select pg_sleep(20)').all() : undefined;
      const failed = running === undefined ? undefined : lab.fails(running);
      if (running !== undefined) await lab.waitingFor(engine, 'active');
      await lab.terminate(engine);
      if (failed !== undefined) assert.ok((await failed) instanceof ConnectionLostError);
      await lab.ledger.insert(connection, work, 1);
      await connection.commit();
    });
    if (step === 'before the first statement') {
      // Nothing had been sent: another connection serves as well, but only half of the unit was written by the test.
      assert.ok(entry.acked);
      await lab.server.query('insert into ledger values ($1, 0, $2)', [entry.work, '']);
    } else {
      assert.ok(!entry.acked);
      assert.ok(entry.error instanceof ConnectionLostError || entry.error instanceof StateError, String(entry.error));
      const again = await lab.fails(connection.raw('select 1').all());
      assert.ok(again instanceof StateError, String(again));
      const commit = await lab.fails(connection.commit());
      assert.equal(commit.outcome, 'not-sent');
      await connection.rollback();
    }
    assert.deepEqual(await connection.raw('select 1 as one').all(), [{ one: 1 }]);
    await connection.close();
  });
}

for (const committed of [true, false]) {
  const where = committed ? 'after the server committed' : 'before the server saw it';
  fault(`[T09] cut while COMMIT is under way, ${where}: outcome unknown, never retried in secret`, async (lab) => {
    const proxy = await lab.proxy();
    const engine = lab.engine({ proxy, max: 2 });
    const tracked = engine.executionOptions({ trackOutcome: true });
    for (let round = 0; round < 5; round += 1) {
      await proxy.order(
        committed
          ? { fault: 'hold', way: 'down', type: 'C', text: 'COMMIT' }
          : { fault: 'hold', way: 'up', type: 'P', text: 'COMMIT' },
      );
      const writing = lab.within(8_000, 'answer', () => lab.ledger.write(tracked));
      await lab.struck(proxy);
      await proxy.order({ fault: 'cut', how: 'rst' });
      await proxy.order({ fault: 'pass' });
      const { acked, error, work } = await writing;
      assert.equal(acked, false);
      assert.ok(error instanceof CommitOutcomeUnknownError, String(error));
      assert.equal(error.outcome, 'unknown');
      assert.equal(error.retryable, false);
      const verdict = await lab.within(5_000, 'verdict', () => engine.resolveOutcome(error, { timeout: 5_000 }));
      assert.equal(verdict, committed ? 'committed' : 'aborted');
      const rows = await lab.server.query('select 1 from ledger where work = $1', [work]);
      assert.equal(rows.length, committed ? 2 : 0);
    }
  });
}

fault(
  '[T47] the connection that listens is lost: the reader is told of the gap, and misses nothing without one',
  async (lab) => {
    const engine = lab.engine({ max: 2 });
    const listener = engine.listen('news');
    await listener.ready;
    const heard: string[] = [];
    let gaps = 0;
    const reading = (async (): Promise<void> => {
      for await (const event of listener) {
        if (event.gap) {
          gaps += 1;
          // What a reader does who is told so: he looks what there is.
          const rows = await lab.server.query<{ n: number }>('select n from news order by n');
          heard.splice(0, heard.length, ...rows.map(({ n }) => String(n)));
        } else if (!heard.includes(event.payload)) heard.push(event.payload);
      }
    })();
    await lab.server.query('drop table if exists news');
    await lab.server.query('create table news (n int)');
    for (let n = 0; n < 60; n += 1) {
      if (n % 20 === 10) await lab.terminate(engine);
      await lab.server.query(
        "with added as (insert into news values ($1) returning n) select pg_notify('news', n::text) from added",
        [n],
      );
    }
    await lab.within(8_000, 'all is known', () =>
      lab.until(() => heard.length === 60, 'all was heard of or looked up'),
    );
    assert.ok(gaps >= 1 && gaps <= 3, `${gaps} gaps`);
    await listener.close();
    await reading;
  },
);
