import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { start } from '../../packages/embedded/src/index.ts';
import { ask, endHolders, hold, kill, newFolder, runs, until, watcherOf } from './support.ts';

describe('an embedded server of many processes', () => {
  const folders: string[] = [];
  const folder = (): string => {
    const made = newFolder();
    folders.push(path.dirname(made));
    return made;
  };
  after(endHolders);
  after(() => folders.forEach((one) => rmSync(one, { recursive: true, force: true })));

  it('[X23] is one server when four processes start it at once', async () => {
    const dataFolder = folder();
    const held = await Promise.all([1, 2, 3, 4].map(() => hold({ dataFolder, idleStop: 0 })));
    const pids = new Set(held.map((one) => one.pid));
    assert.equal(pids.size, 1);
    assert.equal(new Set(held.map((one) => one.url)).size, 1);
    await Promise.all(held.slice(1).map((one) => kill(one)));
    const [last] = held;
    assert.ok(last !== undefined);
    assert.deepEqual(await ask(last.url, 'SELECT 1 AS n'), [{ n: 1 }]);
    await kill(last);
    await until(() => !runs(last.pid));
  });

  it('[X23] is joined again after the main process was killed', async () => {
    const dataFolder = folder();
    const first = await hold({ dataFolder, idleStop: 20_000 });
    await ask(first.url, 'CREATE TABLE t (n int)');
    await kill(first);
    const server = await start({ dataFolder });
    assert.equal(server.pid, first.pid);
    assert.deepEqual(await ask(server.url, 'SELECT * FROM t'), []);
    await server.stop();
  });

  it('[X23] is adopted when the main process and the watcher were killed', async () => {
    const dataFolder = folder();
    const first = await hold({ dataFolder, idleStop: 20_000, tls: true });
    process.kill(watcherOf(dataFolder), 'SIGKILL');
    await kill(first);
    assert.ok(runs(first.pid));
    const server = await start({ dataFolder, idleStop: 0 });
    assert.equal(server.pid, first.pid);
    assert.equal(server.url, first.url);
    assert.deepEqual(await ask(server.url, 'SELECT 1 AS n'), [{ n: 1 }]);
    await server.release();
    await until(() => !runs(first.pid));
  });

  it('starts anew and recovers when everything was killed', async () => {
    const dataFolder = folder();
    const first = await hold({ dataFolder, idleStop: 20_000 });
    await ask(first.url, 'CREATE TABLE t (n int)', 'INSERT INTO t VALUES (7)');
    for (const pid of [watcherOf(dataFolder), first.pid]) process.kill(pid, 'SIGKILL');
    await kill(first);
    const server = await start({ dataFolder });
    assert.notEqual(server.pid, first.pid);
    assert.deepEqual(await ask(server.url, 'SELECT n FROM t'), [{ n: 7 }]);
    await server.stop();
  });

  it('ends by itself within the idle time after its only user was killed', async () => {
    const dataFolder = folder();
    const held = await hold({ dataFolder, idleStop: 300 });
    const watcher = watcherOf(dataFolder);
    await kill(held);
    await until(() => !runs(held.pid) && !runs(watcher), 5000);
    assert.equal(existsSync(path.join(dataFolder, 'watcher.lock')), false);
    assert.equal(existsSync(path.join(dataFolder, 'postgres', 'postmaster.pid')), false);
  });

  it('is started again while the one before is still ending', async () => {
    const dataFolder = folder();
    const pids = new Set<number>();
    for (let round = 0; round < 6; round += 1) {
      const server = await start({ dataFolder, idleStop: 0 });
      pids.add(server.pid);
      assert.deepEqual(await ask(server.url, 'SELECT 1 AS n'), [{ n: 1 }]);
      await server.release();
    }
    assert.ok(pids.size >= 1);
    const last = await start({ dataFolder });
    await last.stop();
  });
});
