// The whole server goes and comes back under eight writers: by order, as by a crash, and because one of its processes
// was killed. What was acknowledged is there, what was not is told truly, and the writers go on by themselves.
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from '../../src/engine/engine.ts';
import { AthanorError, ConnectionLostError, DatabaseError } from '../../src/errors/index.ts';
import { faultLaboratory } from './harness.ts';
import type { Lab } from './lab.ts';

const fault = faultLaboratory({ maxConnections: 30 });

const WRITERS = 8;

/** Writes without a pause until told to stop. Nobody is told anything but by the ledger. */
class Writers {
  readonly #lab: Lab;
  readonly #engine: Engine;
  readonly #running: Promise<void>[];
  #stopped = false;

  constructor(lab: Lab, engine: Engine) {
    this.#lab = lab;
    this.#engine = engine;
    this.#running = Array.from({ length: WRITERS }, () => this.#write());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }

  async #write(): Promise<void> {
    while (!this.#stopped) {
      const { acked } = await this.#lab.within(10_000, 'write', () => this.#lab.ledger.write(this.#engine));
      // A server that refuses at once is not asked without a pause.
      if (!acked) await sleep(10);
    }
  }
}

/** Runs the writers, breaks the server, and waits until all of them have written again. */
async function underLoad(lab: Lab, breakIt: () => Promise<void>): Promise<void> {
  const engine = lab.engine({ max: WRITERS });
  const writers = new Writers(lab, engine);
  try {
    await lab.until(() => lab.ledger.acked >= 100, 'a load of commits');
    await breakIt();
    const broken = lab.ledger.entries.length;
    const begun = performance.now();
    const since = (): number => lab.ledger.entries.slice(broken).filter(({ acked }) => acked).length;
    await lab.until(() => since() >= 1, 'the first commit afterwards');
    lab.figure('until the first commit after the server is up', performance.now() - begun);
    await lab.until(() => since() >= 10 * WRITERS, 'the load goes on');
  } finally {
    await writers.stop();
  }
  assert.ok(lab.ledger.failures.length > 0, 'the fault was not felt');
  for (const error of lab.ledger.failures) assert.ok(error instanceof AthanorError, String(error));
}

async function outage(lab: Lab, work: () => Promise<void>): Promise<void> {
  const begun = performance.now();
  await work();
  lab.figure('outage by the server', performance.now() - begun);
}

fault('[T10] restart in mode fast under 8 writers', (lab) =>
  underLoad(lab, () => outage(lab, () => lab.server.restart('fast'))),
);

fault('[T11] restart in mode immediate under 8 writers; a server that is starting up is waited for', async (lab) => {
  await underLoad(lab, () => outage(lab, () => lab.server.restart('immediate')));
  for (const error of lab.ledger.failures) {
    // 57P03: "the database system is starting up" is for the pool to wait out, not for a writer to hear.
    assert.notEqual((error as DatabaseError).sqlState, '57P03');
  }
});

fault(
  '[T12] one server process is killed, so the server ends all: typed as lost, by 57P02 where it could say so',
  async (lab) => {
    await underLoad(lab, async () => {
      const [victim] = await lab.server.query<{ pid: number }>(
        "select pid from pg_stat_activity where application_name like 'lab-%' limit 1",
      );
      process.kill(victim?.pid as number, 'SIGKILL');
      await outage(lab, () =>
        lab.until(async () => {
          try {
            return (await lab.server.query('select 1')).length === 1;
          } catch {
            return false;
          }
        }, 'the server is up again'),
      );
    });
    const told = lab.ledger.failures.filter((error) => (error as DatabaseError).sqlState === '57P02');
    for (const error of told)
      assert.ok(error instanceof ConnectionLostError || (error as AthanorError).outcome === 'unknown');
    assert.ok(told.length > 0, 'nobody was told 57P02');
  },
);
