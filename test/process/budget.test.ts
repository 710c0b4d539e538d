// The budget over real processes, on a server that counts its sessions. Each test ends by asking the server what the
// most ever was.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { BudgetTimeoutError, ConnectError, ServerFullError } from '../../src/errors/index.ts';
import { Stage, until } from './budget-harness.ts';
import { TinyServer } from './fixtures/tiny-server.ts';

let server: TinyServer;
let stage: Stage;
beforeEach(async () => {
  server = await TinyServer.start();
  stage = new Stage();
});
afterEach(async () => {
  await stage.close();
  await server.stop();
});

test('[X02] unrelated programs share one budget, fairly, and never exceed it', async () => {
  const plan = { port: server.port, size: 6 };
  const [one, two] = [stage.start(plan), stage.start(plan)];
  // All but the broker's own, and the last one, which is for a process that has none.
  assert.equal((await one.tell({ open: 4 })).open, 4);
  await assert.rejects(one.tell({ open: 1, timeout: 300 }), /the last free one is kept/);
  // The second has its floor at once, and as much as the first, taken from what that one has idle.
  assert.equal((await two.tell({ open: 2 })).open, 2);
  assert.ok(one.recalled >= 2, `${one.recalled} recalled`);
  assert.equal((await one.tell({ status: true })).open, 2);
  await assert.rejects(two.tell({ open: 1, timeout: 400 }), BudgetTimeoutError);
  const three = stage.start(plan);
  assert.equal((await three.tell({ open: 1 })).open, 1);
  assert.equal(server.sessions.size, 6);
  assert.equal(server.peak, 6);
  const programs = [one, two, three];
  await Promise.all(programs.map((program) => program.tell({ end: true }).catch(() => {})));
  await Promise.all(programs.map(({ exit }) => exit));
  await until(() => server.sessions.size === 0);
});

test('a wait that is too long names the holders, with numbers', async () => {
  const plan = { port: server.port, size: 3 };
  const [one, two] = [stage.start(plan), stage.start(plan)];
  await one.tell({ open: 1 });
  await one.tell({ sleep: 60_000 });
  await two.tell({ open: 1 });
  await assert.rejects(two.tell({ open: 1, timeout: 500 }), (error) => {
    assert.ok(error instanceof BudgetTimeoutError);
    assert.equal(error.retryable, true);
    assert.match(
      error.message,
      new RegExp(
        String.raw`^Waited 5\d\d ms for a connection permit; this process holds 1; the tree holds 3 of 3; longest holder pid ${one.child.pid} \(worker ${one.child.pid}\), \d\.\d s\.`,
      ),
    );
    return true;
  });
});

test('a killed holder inside a statement: its permit returns only after the server has let go', async () => {
  const plan = { port: server.port, size: 3 };
  const [one, two, three] = [stage.start(plan), stage.start(plan), stage.start(plan)];
  await two.tell({ open: 1 });
  // Busy, or it would be asked to give its permit to the third, which has none.
  await two.tell({ sleep: 600_000 });
  await one.tell({ open: 1 });
  await three.ready;
  await one.tell({ sleep: 1200 });
  const killed = performance.now();
  await one.kill();
  await three.tell({ open: 1 });
  const waited = performance.now() - killed;
  assert.ok(waited >= 1100, `got it after ${waited} ms`);
  assert.equal(server.peak, 3);
  assert.equal(server.terminated, 0);
});

test('a dead process whose statement goes on is ended by the server after two seconds', async () => {
  const plan = { port: server.port, size: 3 };
  const [one, two, three] = [stage.start(plan), stage.start(plan), stage.start(plan)];
  await two.tell({ open: 1 });
  // Busy, or it would be asked to give its permit to the third, which has none.
  await two.tell({ sleep: 600_000 });
  await one.tell({ open: 1 });
  await three.ready;
  await one.tell({ sleep: 600_000 });
  const killed = performance.now();
  await one.kill();
  await three.tell({ open: 1 });
  const waited = performance.now() - killed;
  assert.ok(waited > 1900 && waited < 4000, `got it after ${waited} ms`);
  assert.equal(server.terminated, 1);
  assert.equal(server.peak, 3);
});

test('a process killed between grant and open gives its permit back', async () => {
  const plan = { port: server.port, size: 2 };
  const [one, two] = [stage.start(plan), stage.start(plan)];
  await two.ready;
  one.tell({ dieUnopened: true }).catch(() => {});
  await one.exit;
  assert.equal((await two.tell({ open: 1 })).open, 1);
  assert.equal(server.peak, 2);
});

test('the broker host is killed: another takes over, and the budget holds', async () => {
  const plan = { port: server.port, size: 5 };
  const host = stage.start(plan);
  await host.tell({ open: 1 });
  const others = [stage.start(plan), stage.start(plan), stage.start(plan)];
  await Promise.all(others.map((other) => other.tell({ open: 1 })));
  await Promise.all(others.map((other) => other.tell({ sleep: 600_000 })));
  assert.equal(server.clients, 4);
  await host.tell({ sleep: 1500 });
  const killed = performance.now();
  await host.kill();
  // The fourth permit is in quarantine under the new broker, although that one never granted it.
  const late = stage.start(plan);
  await late.tell({ open: 1 });
  const waited = performance.now() - killed;
  assert.ok(waited >= 1400, `got it after ${waited} ms`);
  assert.equal(server.peak, 5);
  const living = [...others, late];
  const texts = await Promise.all(living.map(async (one) => (await one.tell({ status: true })).status.text));
  assert.equal(texts.filter((text) => text.endsWith('broker here')).length, 1, texts.join('\n'));
});

test('brokers killed one after another never let the budget slip', async () => {
  const plan = { port: server.port, size: 4 };
  let programs = Array.from({ length: 4 }, () => stage.start(plan));
  await Promise.all(programs.map((program) => program.ready));
  for (let round = 0; round < 4; round += 1) {
    await Promise.all(
      programs.map(async (program) => {
        await program.tell({ open: 1 }).then(
          () => program.tell({ close: 1 }),
          (error) => assert.ok(error instanceof BudgetTimeoutError, String(error)),
        );
      }),
    );
    const texts = await Promise.all(programs.map((program) => program.tell({ status: true })));
    const host = texts.findIndex(({ status }) => status.text.endsWith('broker here'));
    assert.ok(host >= 0);
    await programs[host]?.kill();
    programs = [...programs.filter((_program, index) => index !== host), stage.start(plan)];
  }
  assert.ok(server.peak <= 4, `${server.peak}`);
});

test('descendants find the budget of their tree by the environment, and do not serve while its owner lives', async () => {
  const owner = stage.start({ port: server.port, size: 4 });
  const { env } = await owner.tell({ status: true });
  assert.ok(env !== undefined);
  const inherited = { ...stage.env, ATHANOR_BUDGET: env };
  // As a child of the owner would see it, with another temporary folder.
  const { mark } = await ownerMark(env);
  const child = stage.start(
    { port: server.port },
    { ...inherited, ATHANOR_BUDGET_OWNER: `0@${mark}`, TMPDIR: '/nowhere' },
  );
  const { status } = await child.tell({ open: 1 });
  assert.equal(status.budget, 4);
  assert.match(status.text, /broker$/);
  await owner.kill();
  // Now it may.
  assert.match((await child.tell({ open: 1 })).status.text, /broker here$/);
});

async function ownerMark(base: string): Promise<{ mark: string }> {
  const { readFileSync } = await import('node:fs');
  const [key] = readdirSync(base);
  const folder = join(base, key ?? '');
  await until(() => readdirSync(folder).some((name) => name.startsWith('m-')));
  const member = readdirSync(folder).find((name) => name.startsWith('m-'));
  return { mark: readFileSync(join(folder, member ?? ''), 'utf8') };
}

test('[X02] a budget of `auto` follows what the server has to give', async () => {
  server.maxConnections = 8;
  const plan = { port: server.port };
  const [one, two] = [stage.start(plan), stage.start(plan)];
  assert.equal((await one.tell({ open: 1 })).status.budget, 8);
  server.maxConnections = 5;
  await assert.rejects(two.tell({ open: 6, timeout: 3000 }), (error) => {
    return error instanceof BudgetTimeoutError || error instanceof ServerFullError;
  });
  assert.equal((await two.tell({ status: true })).status.budget, 5);
  assert.ok(server.sessions.size <= 5);
  assert.ok(server.refused > 0);
  server.maxConnections = 12;
  const { status } = await two.tell({ open: 6, timeout: 5000 });
  assert.equal(status.budget, 12);
});

test('a server that cannot be reached says so itself, at once', async () => {
  const { port } = server;
  await server.stop();
  const started = performance.now();
  const program = stage.start({ port });
  await program.ready;
  await assert.rejects(program.tell({ open: 1 }), (error) => {
    return error instanceof ConnectError && /no server at/.test(error.message);
  });
  assert.ok(performance.now() - started < 3000);
  server = await TinyServer.start();
});

test('[B28] a folder of others is refused, and ours is closed to them', async () => {
  const program = stage.start({ port: server.port });
  const { env } = await program.tell({ open: 1 });
  const [key] = readdirSync(env ?? '');
  const folder = join(env ?? '', key ?? '');
  assert.equal(statSync(env ?? '').mode & 0o777, 0o700);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.equal(statSync(join(folder, 'budget.json')).mode & 0o777, 0o600);
  const open = join(stage.folder, 'open');
  mkdirSync(open);
  chmodSync(open, 0o755);
  const refused = stage.start({ port: server.port }, { ...stage.env, ATHANOR_BUDGET: open });
  await refused.exit;
  assert.equal(refused.child.exitCode, 1);
});

test('a stopped process gets no new permit, and takes nobody along', async () => {
  const plan = { port: server.port, size: 5 };
  // The host of the broker is another one.
  const two = stage.start(plan);
  await two.tell({ open: 1 });
  const one = stage.start(plan);
  await one.tell({ open: 1 });
  one.child.kill('SIGSTOP');
  assert.equal((await two.tell({ open: 1 })).open, 2);
  one.child.kill('SIGCONT');
  assert.equal((await one.tell({ status: true })).status.held, 1);
  assert.equal(server.peak, 4);
});

test('the host being blocked stalls nobody: the broker has a thread of its own', async () => {
  const plan = { port: server.port, size: 4 };
  const host = stage.start(plan);
  await host.tell({ open: 1 });
  const other = stage.start(plan);
  await other.ready;
  const blocked = host.tell({ block: 3000 });
  const started = performance.now();
  await other.tell({ open: 1 });
  assert.ok(performance.now() - started < 1500);
  await blocked;
});

test('a storm of processes: all are served, none starves', async () => {
  const plan = { port: server.port, size: 5 };
  const programs = Array.from({ length: 12 }, () => stage.start(plan));
  await Promise.all(
    programs.map(async (program) => {
      await program.tell({ open: 1, timeout: 30_000 });
      await program.tell({ end: true }).catch(() => {});
    }),
  );
  assert.ok(server.peak <= 5);
  assert.equal(server.total >= 12, true);
});
