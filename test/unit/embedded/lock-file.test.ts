import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { LockFile } from '../../../packages/embedded/src/lock-file.ts';
import { isAlive, isSameProcess, startTimeOf } from '../../../packages/embedded/src/process-identity.ts';

describe('the lock of a data folder', () => {
  let folder = '';
  let file = '';
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'athanor-lock-'));
    file = path.join(folder, 'lock');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is held by one', () => {
    const lock = LockFile.acquire(file);
    assert.ok(lock !== undefined && lock.isHeld());
    assert.equal(LockFile.isTaken(file), true);
    assert.equal(LockFile.acquire(file), undefined);
    lock.release();
    assert.equal(LockFile.isTaken(file), false);
    assert.ok(LockFile.acquire(file));
  });

  it('is taken over from a dead holder', () => {
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    writeFileSync(file, `${dead}  x`);
    assert.ok(LockFile.acquire(file));
    assert.deepEqual(readdirSync(folder), ['lock']);
  });

  it('is taken over when the number of its holder belongs to another process now', {
    skip: !startTimeOf(process.pid),
  }, () => {
    writeFileSync(file, `${process.pid} 1 x`);
    assert.ok(LockFile.acquire(file));
  });

  it('is no longer held when its file is gone, and then releases nothing of others', () => {
    const lock = LockFile.acquire(file);
    rmSync(file);
    assert.equal(lock?.isHeld(), false);
    const other = LockFile.acquire(file);
    lock?.release();
    assert.equal(other?.isHeld(), true);
  });

  it('tells processes apart', () => {
    assert.ok(isAlive(process.pid));
    assert.ok(isSameProcess(process.pid, startTimeOf(process.pid)));
    assert.equal(isAlive(spawnSync(process.execPath, ['-e', '']).pid), false);
  });
});
