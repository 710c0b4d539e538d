import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { UsageError } from '../../src/errors/index.ts';
import { openBudget } from '../../src/process.ts';
import { inheritedLimit, inheritedOwner, inheritedVariables } from '../../src/process/meeting/inheritance.ts';
import { ownMark } from '../../src/process/meeting/process-mark.ts';
import { TinyServer } from './fixtures/tiny-server.ts';

let folder: string;
let server: TinyServer;
const kept = { ...process.env };
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'athanor-test-'));
  process.env['TMPDIR'] = folder;
  for (const name of Object.keys(inheritedVariables())) delete process.env[name];
  server = await TinyServer.start(10);
});
after(async () => {
  await server.stop();
  process.env['TMPDIR'] = kept['TMPDIR'];
  if (kept['TMPDIR'] === undefined) delete process.env['TMPDIR'];
  rmSync(folder, { recursive: true, force: true });
});

const monitor = (password?: unknown): { module: string; options: unknown } => ({
  module: new URL('./fixtures/tiny-client.ts', import.meta.url).href,
  options: { port: server.port, ...(password === undefined ? {} : { password }) },
});
const soon = (): { readonly deadline: number } => ({ deadline: performance.now() + 10_000 });

test('a budget that cannot work is refused at once', () => {
  for (const size of [1, 0, -4, 2.5, Number.NaN, '6']) {
    assert.throws(
      () => openBudget({ server: 'a:1', size: size as number, monitor: monitor() }),
      (error) => error instanceof UsageError && /at least 2/.test(error.message),
    );
  }
  assert.throws(() => openBudget({ server: 'a:1', scope: 'galaxy' as 'tree', monitor: monitor() }), UsageError);
  assert.deepEqual(inheritedVariables(), {});
});

test('the first engine tells its descendants where to meet, who serves and how many; the last one takes it back', async () => {
  const first = openBudget({ server: 'a:1', size: 6, monitor: monitor() });
  assert.deepEqual(inheritedOwner(), { mark: ownMark(), thread: 0 });
  const variables = inheritedVariables();
  assert.ok(variables['ATHANOR_BUDGET']?.startsWith(folder));
  const key = readdirSync(variables['ATHANOR_BUDGET'] ?? '')[0] ?? '';
  assert.equal(inheritedLimit(key), 6);
  // A descendant, or a later engine here, that gives no number is bound by it.
  const second = openBudget({ server: 'a:1', monitor: monitor() });
  const other = openBudget({ server: 'b:1', size: 4, monitor: monitor() });
  const permit = await second.acquire(soon());
  assert.equal(second.status.budget, 6);
  assert.match(permit.applicationName, new RegExp(`^athanor/[0-9a-f]{10}/${process.pid}/[0-9a-z]+-[0-9a-z]+$`));
  assert.ok(permit.applicationName.length < 63);
  permit.release();
  await first.close();
  await second.close();
  assert.notDeepEqual(inheritedVariables(), {});
  await other.close();
  assert.deepEqual(inheritedVariables(), {});
  assert.equal(server.sessions.size, 0);
  await assert.rejects(first.acquire(soon()), /closed/);
});

test('a tree has a folder of its own; one that nobody uses any more is removed', async () => {
  const machine = join(folder, readdirSync(folder)[0] ?? '');
  const abandoned = join(machine, 'tree-4194305-abcd');
  const inhabited = join(machine, 'tree-4194306-abcd');
  mkdirSync(join(abandoned, 'key'), { recursive: true });
  mkdirSync(join(inhabited, 'key'), { recursive: true });
  writeFileSync(join(abandoned, 'key', 'm-4194305.0.a'), '4194305:1:x:y');
  writeFileSync(join(inhabited, 'key', 'm-1.0.a'), ownMark());
  const tree = openBudget({ server: 'a:1', scope: 'tree', monitor: monitor() });
  const alone = openBudget({ server: 'a:1', scope: 'process', monitor: monitor() });
  const names = readdirSync(machine);
  assert.ok(!names.includes('tree-4194305-abcd'));
  assert.ok(names.includes('tree-4194306-abcd'));
  assert.ok(names.some((name) => name.startsWith(`process-${process.pid}-`)));
  assert.match(inheritedVariables()['ATHANOR_BUDGET'] ?? '', new RegExp(`/tree-${process.pid}-[0-9a-f]{8}$`));
  const permits = await Promise.all([tree.acquire(soon()), alone.acquire(soon())]);
  for (const permit of permits) permit.release();
  await Promise.all([tree.close(), alone.close()]);
});

test('a password that is a function is asked before the options go to the broker’s thread', async () => {
  const right = openBudget({ server: 'c:1', monitor: monitor(async () => 'right') });
  (await right.acquire(soon())).release();
  await right.close();
  const wrong = openBudget({ server: 'c:1', monitor: monitor(() => 'wrong') });
  await assert.rejects(wrong.acquire(soon()), /the password is wrong/);
  await wrong.close();
});

test('a wait is ended by its signal, and takes no permit along', async () => {
  const permits = openBudget({ server: 'd:1', size: 2, monitor: monitor() });
  const held = await permits.acquire(soon());
  const controller = new AbortController();
  const waiting = permits.acquire({ ...soon(), signal: controller.signal });
  controller.abort(new Error('enough'));
  await assert.rejects(waiting, (error) => (error as Error).cause === controller.signal.reason);
  held.release();
  held.release();
  const next = await permits.acquire(soon());
  assert.notEqual(next.id, held.id);
  next.release();
  assert.equal(permits.status.held, 0);
  await permits.close();
});
