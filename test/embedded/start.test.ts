import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { EmbeddedError, prepare, start, startTemporary } from '../../packages/embedded/src/index.ts';
import { ask, newFolder, runs, until, watcherOf } from './support.ts';

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof EmbeddedError && error.code === code;
}

describe('the embedded server', () => {
  const folders: string[] = [];
  const folder = (): string => {
    const made = newFolder();
    folders.push(path.dirname(made));
    return made;
  };
  after(() => folders.forEach((one) => rmSync(one, { recursive: true, force: true })));

  it('[X23] starts PostgreSQL 18 in a new folder, keeps its rows, and is gone after its last user', async () => {
    const dataFolder = folder();
    const first = await start({ dataFolder, idleStop: 0 });
    assert.equal(first.version, 18);
    await ask(first.url, 'CREATE TABLE kept (n int)', 'INSERT INTO kept VALUES (42)');
    await first.release();
    await until(() => !runs(first.pid));
    const second = await start({ dataFolder, idleStop: 0 });
    assert.deepEqual(await ask(second.url, 'SELECT n FROM kept'), [{ n: 42 }]);
    assert.equal(second.url, first.url, 'the URL stays good over a restart');
    await second.stop();
    assert.equal(runs(second.pid), false);
  });

  it('[X23] gives everybody in the process the same server, and it stays until the last gives it back', async () => {
    const dataFolder = folder();
    const [one, two] = await Promise.all([start({ dataFolder, idleStop: 0 }), start({ dataFolder, idleStop: 0 })]);
    assert.equal(one.pid, two.pid);
    await one.release();
    assert.deepEqual(await ask(two.url, 'SELECT 1 AS n'), [{ n: 1 }]);
    await two.release();
    await until(() => !runs(one.pid));
  });

  it('listens on loopback and in a private folder only, behind a password nobody else can read', async () => {
    const server = await startTemporary();
    const [row] = await ask(
      server.url,
      `SELECT current_setting('listen_addresses') AS tcp, current_setting('unix_socket_directories') AS sockets`,
    );
    assert.equal(row?.['tcp'], '127.0.0.1');
    assert.ok(server.socketFolder !== undefined && String(row?.['sockets']).includes(server.socketFolder));
    assert.equal(statSync(server.socketFolder).mode & 0o777, 0o700);
    assert.ok(Buffer.byteLength(`${server.socketFolder}/.s.PGSQL.${server.port}`) < 107);
    assert.equal(statSync(path.join(server.dataFolder, 'athanor.json')).mode & 0o777, 0o600);
    assert.deepEqual(await ask(server.socketUrl ?? '', 'SELECT 1 AS n'), [{ n: 1 }]);
    const wrong = server.url.replace(server.password, 'wrong');
    await assert.rejects(ask(wrong, 'SELECT 1'), /password authentication failed/);
    assert.ok(!inspect(server).includes(server.password));
    await server.stop();
  });

  it('leaves nothing in the log but the start and the end', async () => {
    const server = await start({ dataFolder: folder() });
    await ask(server.url, 'SELECT 1');
    await server.stop();
    const allowed =
      /starting PostgreSQL|listening on|database system (is|was) (shut down|ready)|fast shutdown|aborting any|logical replication launcher|shutting down|checkpoint (starting|complete)/;
    const lines = readFileSync(server.logFile, 'utf8').trim().split('\n');
    assert.ok(lines.length > 5);
    assert.deepEqual(
      lines.filter((line) => !allowed.test(line)),
      [],
    );
  });

  it('removes a temporary folder and its sockets, and leaves no process', async () => {
    const server = await startTemporary();
    const watcher = watcherOf(server.dataFolder);
    assert.ok(runs(watcher));
    await server.stop();
    assert.equal(existsSync(server.dataFolder), false);
    assert.equal(existsSync(server.socketFolder ?? ''), false);
    await until(() => !runs(watcher));
  });

  it('applies settings, and refuses a second user who asks for others', async () => {
    const dataFolder = folder();
    const server = await start({ dataFolder, settings: { max_connections: '17' } });
    assert.deepEqual(await ask(server.url, 'SHOW max_connections'), [{ max_connections: '17' }]);
    const joined = await start({ dataFolder, settings: { max_connections: '17' } });
    await joined.release();
    await assert.rejects(start({ dataFolder, settings: { max_connections: '18' } }), hasCode('ATH_EMBEDDED_SETTINGS'));
    await assert.rejects(start({ dataFolder, tls: true }), hasCode('ATH_EMBEDDED_SETTINGS'));
    assert.deepEqual(await ask(server.url, 'SELECT 1 AS n'), [{ n: 1 }]);
    await server.stop();
    await assert.rejects(start({ dataFolder, settings: { port: '1' } }), hasCode('ATH_EMBEDDED_SETTINGS'));
  });

  it('restarts on the same port, also as after a crash', async () => {
    const server = await startTemporary();
    await ask(server.url, 'CREATE TABLE t (n int)');
    for (const mode of ['fast', 'immediate'] as const) {
      const before = server.pid;
      await server.restart(mode);
      assert.notEqual(server.pid, before);
      assert.deepEqual(await ask(server.url, 'SELECT count(*)::int AS n FROM t'), [{ n: 0 }]);
      assert.deepEqual(await ask(server.socketUrl ?? '', 'SELECT 1 AS n'), [{ n: 1 }]);
    }
    await server.stop();
  });

  it('says which version a folder was made by, and lets a right start follow a wrong one', async () => {
    const dataFolder = folder();
    const server = await start({ dataFolder });
    await server.stop();
    await assert.rejects(start({ dataFolder, version: 9 }), hasCode('ATH_EMBEDDED_BINARIES'));
    await assert.rejects(start({ dataFolder, settings: { max_connections: 'many' } }), hasCode('ATH_EMBEDDED_START'));
    const again = await start({ dataFolder });
    await again.stop();
    await assert.rejects(again.restart(), hasCode('ATH_EMBEDDED_LOST'));
  });

  it('ends a start that takes too long or is given up', async () => {
    const dataFolder = folder();
    await assert.rejects(start({ dataFolder, timeout: 0 }), hasCode('ATH_EMBEDDED_TIMEOUT'));
    const given = AbortSignal.abort(new RangeError('changed my mind'));
    await assert.rejects(start({ dataFolder, signal: given }), hasCode('ATH_EMBEDDED_ABORTED'));
    const controller = new AbortController();
    const late = assert.rejects(start({ dataFolder, signal: controller.signal }), hasCode('ATH_EMBEDDED_ABORTED'));
    setImmediate(() => controller.abort());
    await late;
    const server = await start({ dataFolder });
    await server.stop();
  });

  it('survives the loss of its record: the server is there with a new password', async () => {
    const dataFolder = folder();
    const first = await start({ dataFolder });
    await ask(first.url, 'CREATE TABLE kept (n int)');
    await first.stop();
    rmSync(path.join(first.dataFolder, 'athanor.json'));
    const second = await start({ dataFolder });
    assert.notEqual(second.password, first.password);
    assert.deepEqual(await ask(second.url, 'SELECT * FROM kept'), []);
    await second.stop();
  });

  it('ends when its folder is removed under it', async () => {
    const dataFolder = folder();
    const server = await start({ dataFolder });
    rmSync(dataFolder, { recursive: true, force: true });
    await until(() => !runs(server.pid));
    await until(() => !server.isHeld);
  });

  it('has nothing to prepare the second time', async () => {
    const steps: string[] = [];
    await prepare({ onStep: (step) => steps.push(step) });
    assert.deepEqual(steps, []);
  });
});
