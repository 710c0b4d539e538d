// The server's place is taken by its standby. What an acknowledgement is worth then is a matter of what the server
// waited for before it gave one.
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from '../../src/engine/engine.ts';
import { startPostgres, startReplica, type TestReplica, type TestServer } from '../servers.ts';
import { runFault } from './harness.ts';
import type { Lab } from './lab.ts';
import { LEDGER_SQL, ledgerViolations } from './ledger.ts';

const WRITERS = 8;

interface Pair {
  readonly primary: TestServer;
  readonly replica: TestReplica;
}

async function startPair(): Promise<Pair> {
  const settings = { synchronous_commit: 'on', wal_sender_timeout: '0', max_connections: '30' };
  const primary = await startPostgres({ settings });
  await primary.query(LEDGER_SQL);
  const replica = await startReplica(primary, { settings });
  for (;;) {
    const rows = await primary.query("select 1 from pg_stat_replication where state = 'streaming'");
    if (rows.length === 1) return { primary, replica };
    await sleep(20);
  }
}

/** Eight writers until `work` is over; they go on after failures. */
async function writing(lab: Lab, engine: Engine, work: () => Promise<void>): Promise<void> {
  let stopped = false;
  const writer = async (): Promise<void> => {
    while (!stopped) {
      const { acked } = await lab.ledger.write(engine, { timeout: 10_000 });
      if (!acked) await sleep(10);
    }
  };
  const running = Array.from({ length: WRITERS }, writer);
  try {
    await lab.until(() => lab.ledger.acked >= 60, 'a load of commits');
    await work();
  } finally {
    stopped = true;
    await Promise.all(running);
  }
}

/** The standby falls behind, takes over, and the old server goes. */
async function failover({ primary, replica }: Pair): Promise<void> {
  const [sender] = await primary.query<{ pid: number }>('select pid from pg_stat_replication');
  process.kill(sender?.pid as number, 'SIGSTOP');
  await sleep(200);
  await replica.promote();
  process.kill(sender?.pid as number, 'SIGCONT');
  await primary.stop();
}

function report(violations: readonly { readonly check: string; readonly text: string }[]): string[] {
  return violations.map(({ check, text }) => `${check}: ${text}`);
}

for (const mode of ['local', 'remote_apply'] as const) {
  const title =
    mode === 'local'
      ? 'failover to a standby that was behind: acknowledged is what the old server acknowledged'
      : '[T13] failover to a standby that was behind, with synchronous_commit=remote_apply: nothing acknowledged is lost';
  test(title, { timeout: 220_000 }, async (context) => {
    const pair = await startPair();
    try {
      if (mode === 'remote_apply') {
        await pair.primary.query("alter system set synchronous_standby_names = 'replica'");
        await pair.primary.query('select pg_reload_conf()');
        await sleep(100);
      }
      const { violations } = await runFault(pair.primary, async (lab) => {
        const engine = lab.engine({ max: WRITERS, driver: { settings: { synchronous_commit: mode } } });
        await writing(lab, engine, () => failover(pair));
        await engine.close({ timeout: 0 });
        lab.server = pair.replica;
        if (mode === 'remote_apply') return;
        const rows = await pair.replica.query<{ work: string; n: number }>(
          'select work, count(*)::int as n from ledger group by work',
        );
        const found = new Map(rows.map(({ work, n }) => [work, n]));
        const lost = ledgerViolations(lab.ledger.entries, found).filter(({ check }) => check === 'A').length;
        context.diagnostic(`acknowledged ${lab.ledger.acked}, of which the new server lacks ${lost}`);
        assert.ok(lost > 0, 'the standby was not behind, so nothing is shown');
        // None of them is there by half, whichever server is asked.
        assert.ok([...found.values()].every((n) => n === 2));
        const kept = lab.ledger.entries.filter(({ work }) => found.has(work));
        lab.ledger.entries.splice(0, lab.ledger.entries.length, ...kept);
      });
      assert.deepEqual(report(violations), []);
    } finally {
      await pair.primary.stop().catch(() => {});
      await pair.replica.stop();
    }
  });
}

test('a clean failover: writers move to the new primary by themselves, and a standby refuses writes by name', {
  timeout: 220_000,
}, async (context) => {
  const { primary, replica } = await startPair();
  try {
    const { violations } = await runFault(primary, async (lab) => {
      const url = new URL(primary.url);
      const both = `${primary.host}:${primary.port},${replica.host}:${replica.port}`;
      const place = `postgresql://${url.username}:${url.password}@${both}${url.pathname}?sslmode=disable`;
      const engine = lab.engine({ url: `${place}&target_session_attrs=read-write`, max: WRITERS });
      const reader = lab.engine({ url: replica.url, max: 1 });
      const refused = await lab.fails(
        lab
          .engine({ url: replica.url })
          .begin((connection) => connection.raw("insert into ledger values ('x', 0, 'x')").all()),
      );
      assert.equal((refused as { sqlState?: string }).sqlState, '25006');
      await reader.begin((connection) => connection.raw('select count(*) from ledger').all());
      await writing(lab, engine, async () => {
        const begun = performance.now();
        await primary.stop();
        await replica.promote();
        const from = lab.ledger.acked;
        await lab.until(() => lab.ledger.acked > from + 50, 'writes on the new server');
        context.diagnostic(`switched in ${Math.round(performance.now() - begun)} ms`);
      });
      lab.server = replica;
    });
    assert.deepEqual(report(violations), []);
  } finally {
    await primary.stop().catch(() => {});
    await replica.stop();
  }
});
