import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConcurrentUseError } from '../../../../src/errors/index.ts';
import { WorkQueue } from '../../../../src/orm/session/work-queue.ts';

describe('the queue of a session', () => {
  it('runs reads one after the other, in the order they were called', async () => {
    const queue = new WorkQueue();
    const log: string[] = [];
    const read = (name: string): Promise<void> =>
      queue.read(name, async () => {
        log.push(`${name} begins`);
        await Promise.resolve();
        log.push(`${name} ends`);
      });
    await Promise.all([read('a'), read('b')]);
    assert.deepEqual(log, ['a begins', 'a ends', 'b begins', 'b ends']);
    assert.equal(queue.size, 0);
  });
  it('goes on after a read that failed, whose error is its caller’s', async () => {
    const queue = new WorkQueue();
    const failing = queue.read('a', () => Promise.reject(new RangeError('mine')));
    const next = queue.read('b', () => Promise.resolve(2));
    await assert.rejects(failing, RangeError);
    assert.equal(await next, 2);
    assert.equal(await queue.alone('flush', () => Promise.resolve(3)), 3);
  });
  it('refuses what must be alone beside anything, and anything beside it, naming both', async () => {
    const queue = new WorkQueue();
    const { promise, resolve } = deferred();
    const reading = queue.read('get', () => promise);
    await assert.rejects(
      queue.alone('commit', () => Promise.resolve()),
      (error: unknown) =>
        error instanceof ConcurrentUseError && /commit\(\) was called while a read/.test(error.message),
    );
    resolve();
    await reading;
    const { promise: second, resolve: end } = deferred();
    const flushing = queue.alone('flush', () => second);
    await assert.rejects(
      queue.read('get', () => Promise.resolve()),
      (error: unknown) => error instanceof ConcurrentUseError && /while flush/.test(error.message),
    );
    end();
    await flushing;
  });
  it('lets what ends a session in last, and nothing else from then on', async () => {
    const queue = new WorkQueue();
    const log: string[] = [];
    const { promise, resolve: end } = deferred();
    const flushing = queue.alone('flush', async () => {
      await promise;
      log.push('flush');
    });
    const rollback = queue.last('rollback', () => Promise.resolve(log.push('rollback')));
    const close = queue.last('close', () => Promise.resolve(log.push('close')));
    end();
    await Promise.all([flushing, rollback, close]);
    assert.deepEqual(log, ['flush', 'rollback', 'close']);
    const { promise: reading, resolve: read } = deferred();
    const get = queue.read('get', () => reading);
    const last = queue.last('close', () => Promise.resolve(log.push('last')));
    await assert.rejects(
      queue.read('get', () => Promise.resolve()),
      /while close/,
    );
    assert.equal(log.length, 3);
    read();
    await Promise.all([get, last]);
    assert.equal(await queue.read('get', () => Promise.resolve(1)), 1);
  });
});

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((keep) => {
    resolve = keep;
  });
  return { promise, resolve };
}
