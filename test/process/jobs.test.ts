import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  CancelledError,
  JobLostError,
  NotTransferableError,
  StaleDataError,
  StateError,
  TimeoutError,
  UsageError,
} from '../../src/errors/index.ts';
import { defineJob, isMain } from '../../src/process.ts';
import * as jobs from './fixtures/jobs.ts';

const run = promisify(execFile);
const ways = ['fork', 'worker'] as const;

for (const way of ways) {
  test(`[X04] ${way}: arguments and result are typed and arrive`, async () => {
    const handle = jobs.add[way](2, 3);
    const sum: number = await handle;
    assert.equal(sum, 5);
    assert.equal(handle.pid === undefined, way === 'worker');
    assert.equal(handle.threadId === undefined, way === 'fork');
    const values = {
      at: new Date(5),
      big: 10n,
      bytes: new Uint8Array([1, 2]),
      map: new Map([['a', { b: 1 }]]),
      none: undefined,
    };
    assert.deepEqual(await jobs.echo[way](values), values);
    // @ts-expect-error the arguments are typed
    void (() => jobs.add[way]('2', 3));
    // @ts-expect-error their number too
    void (() => jobs.add[way](2));
  });

  test(`[X04] ${way}: an error keeps its class, code, text, cause and stack`, async () => {
    await assert.rejects(jobs.stale[way]('row 3 of dummies'), (error) => {
      assert.ok(error instanceof StaleDataError);
      assert.equal(error.code, 'ATH_STALE_DATA');
      assert.equal(error.retryable, true);
      assert.match(error.message, /^row 3 of dummies\n {2}reload$/);
      assert.ok(error.cause instanceof RangeError);
      assert.match(error.stack ?? '', /fixtures\/jobs\.ts/);
      return true;
    });
  });

  test(`[X04] ${way}: an error of a class of the program's own keeps it where the job names the class`, async () => {
    await assert.rejects(jobs.brew[way](3), (error) => {
      assert.ok(error instanceof jobs.OutOfTea);
      assert.equal(error.cups, 3);
      assert.equal(error.message, 'no tea for 3 cups');
      return true;
    });
    await assert.rejects(jobs.brewUnlisted[way](2), (error) => {
      assert.ok(error instanceof Error && !(error instanceof jobs.OutOfTea));
      assert.equal((error as { cups?: unknown }).cups, 2);
      return true;
    });
  });

  test(`[X04] ${way}: a signal cancels`, async () => {
    const controller = new AbortController();
    const handle = jobs.hang.with({ signal: controller.signal })[way]();
    setTimeout(() => controller.abort(new Error('enough')), 200);
    await assert.rejects(handle, (error) => {
      // A thread is asked, and answers for itself; a process is ended.
      if (way === 'worker') return error instanceof RangeError && error.message === 'asked to stop';
      return error instanceof CancelledError && (error.cause as Error).message === 'enough';
    });
    await assert.rejects(jobs.add.with({ signal: controller.signal })[way](1, 2), CancelledError);
  });

  test(`[X04] ${way}: what does not stop when asked is killed`, async () => {
    const started = performance.now();
    await assert.rejects(jobs.deaf.with({ timeout: 300, grace: 200 })[way](), (error) => {
      return error instanceof TimeoutError && error.timeout === 300;
    });
    assert.ok(performance.now() - started < 3000);
  });

  test(`[X04] ${way}: a job that ends without an answer is a lost job`, async () => {
    await assert.rejects(jobs.exit[way](7), (error) => {
      return error instanceof JobLostError && error.exitCode === 7 && /exit code 7/.test(error.message);
    });
  });

  test(`[X04] ${way}: what a job left open does not keep it alive`, async () => {
    const started = performance.now();
    assert.equal(await jobs.linger[way](), 'done');
    assert.ok(performance.now() - started < 3000);
  });

  test(`[X04] ${way}: what belongs to a process is refused in the sender, either way`, async () => {
    const handle = jobs.echo[way]({ deep: [new jobs.Guarded()] });
    assert.equal(handle.pid, undefined);
    assert.equal(handle.threadId, undefined);
    await assert.rejects(
      handle,
      (error) => error instanceof NotTransferableError && /Send its key/.test(error.message),
    );
    await assert.rejects(
      jobs.echo[way](() => 1),
      NotTransferableError,
    );
    await assert.rejects(jobs.leak[way](), NotTransferableError);
    await assert.rejects(jobs.leakFunction[way](), NotTransferableError);
  });

  test(`${way}: a job that waits for what keeps no process alive is waited for`, async () => {
    assert.equal(await jobs.quiet[way](), 'waited');
  });

  test(`${way}: a result of 16 MiB arrives whole`, async () => {
    const bytes = await jobs.big[way](16 * 1024 * 1024);
    assert.equal(bytes.length, 16 * 1024 * 1024);
    assert.equal(bytes.at(-1), 7);
  });

  test(`${way}: options reach the child, and it installs no signal handlers`, async () => {
    process.env['ATHANOR_BUDGET'] = '/somewhere';
    try {
      const found = await jobs.where
        .with({ env: { EXTRA: 'x' }, execArgv: ['--expose-gc'].slice(way === 'worker' ? 1 : 0) })
        [way]();
      assert.equal(found.name, 'where');
      assert.equal(found.main, false);
      assert.equal(found.extra, 'x');
      assert.equal(found.budget, '/somewhere');
      assert.deepEqual(found.listeners, []);
      assert.equal(found.pid === process.pid, way === 'worker');
      if (way === 'fork') assert.deepEqual(found.flags, ['--expose-gc']);
    } finally {
      delete process.env['ATHANOR_BUDGET'];
    }
  });

  for (const awaited of ['1', '0']) {
    test(`${way}: a module that starts jobs while it is loaded for one is told so (awaited: ${awaited})`, async () => {
      const { again } = await import('./fixtures/forks-while-loading.ts');
      await assert.rejects(again.with({ env: { AWAITED: awaited } })[way](), (error) => {
        return error instanceof StateError && /isMain\(import\.meta\)/.test(error.message);
      });
    });
  }
}

test('[X04] fork: a killed child is a lost job, with its signal', async () => {
  const handle = jobs.hang.fork();
  const lost = assert.rejects(handle, (error) => {
    return (
      error instanceof JobLostError && error.signal === 'SIGKILL' && error.message.includes(`process ${handle.pid}`)
    );
  });
  assert.equal(handle.kill('SIGKILL'), true);
  await lost;
  assert.equal(handle.kill(), false);
});

test('a handle is a promise to all who take one', async () => {
  const seen: string[] = [];
  const value = await jobs.add.worker(1, 1).finally(() => seen.push('finally'));
  assert.equal(value, 2);
  assert.equal(await jobs.exit.worker(1).catch(() => 'caught'), 'caught');
  assert.deepEqual(await Promise.all([jobs.add.worker(1, 2), jobs.add.fork(3, 4)]), [3, 7]);
  assert.deepEqual(seen, ['finally']);
});

test('a module that defines no such job is named', async () => {
  const ghost = defineJob(new URL('./fixtures/main-like.ts', import.meta.url).href, 'ghost', () => 1);
  await assert.rejects(ghost.fork(), /main-like/);
  const missing = defineJob(new URL('./fixtures/jobs.ts', import.meta.url).href, 'missing', () => 1);
  await assert.rejects(
    missing.fork(),
    (error) => error instanceof UsageError && /no job 'missing'/.test(error.message),
  );
  assert.throws(() => defineJob('nowhere', 'x', () => 1), UsageError);
});

test('[X04] isMain is true in the program alone', async () => {
  assert.equal(isMain({ url: import.meta.url, main: false }), false);
  const main = fileURLToPath(new URL('./fixtures/main.ts', import.meta.url));
  const { stdout } = await run(process.execPath, [main]);
  assert.deepEqual(JSON.parse(stdout), { here: true, job: false, worker: false });
});
