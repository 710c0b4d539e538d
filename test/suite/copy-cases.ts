// COPY both ways: the bytes, the pace, and a connection that is usable after every kind of failure.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledError, DataError, ProgrammingError, UsageError } from '../../src/errors/index.ts';
import type { CopySource } from '../../src/driver/copy.ts';
import type { Bench } from './contract-bench.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export function copyCases(bench: Bench): void {
  async function fresh(): Promise<void> {
    await bench.run('drop table if exists copied', [], { prepare: false });
    await bench.run('create table copied (id int4, v text)', [], { prepare: false });
  }
  const copyFrom = (source: CopySource, signal?: AbortSignal) => {
    assert.ok(bench.connection.copyFrom);
    return bench.connection.copyFrom('copy copied from stdin', source, { signal });
  };
  const copyTo = (sql: string, target: (chunk: Uint8Array) => void | Promise<void>, signal?: AbortSignal) => {
    assert.ok(bench.connection.copyTo);
    return bench.connection.copyTo(sql, target, { signal });
  };
  const count = () => bench.one('select count(*)::int4 from copied', [], { prepare: false });

  test('what goes in comes out, whatever the pieces', async () => {
    await fresh();
    async function* slowly(): AsyncGenerator<Uint8Array> {
      for (const piece of ['1\tö', 'ne\n2\t\\N', '\n3\tthr', '', 'ee\n']) {
        await sleep(1);
        yield bytes(piece);
      }
    }
    assert.deepEqual(await copyFrom(slowly()), { command: 'COPY', count: 3 });
    assert.deepEqual(await copyFrom([bytes('4\tfour\n')]), { command: 'COPY', count: 1 });
    assert.deepEqual(await copyFrom([]), { command: 'COPY', count: 0 });
    const chunks: Uint8Array[] = [];
    const done = await copyTo('copy (select * from copied order by id) to stdout', (chunk) => void chunks.push(chunk));
    assert.deepEqual(done, { command: 'COPY', count: 4 });
    assert.equal(Buffer.concat(chunks).toString('utf8'), '1\töne\n2\t\\N\n3\tthree\n4\tfour\n');
  });

  test('large pieces, and a statement behind that waits', async () => {
    await fresh();
    const line = `7\t${'x'.repeat(200)}\n`;
    const source = Array.from({ length: 4 }, () => bytes(line.repeat(5000)));
    const copying = copyFrom(source);
    const behind = count();
    assert.equal((await copying).count, 20_000);
    assert.equal(await behind, 20_000);
  });

  test('a source that fails ends the COPY with its own error, and nothing is kept', async () => {
    await fresh();
    const failure = new TypeError('the file is gone');
    function* broken(): Generator<Uint8Array> {
      yield bytes('1\ta\n');
      throw failure;
    }
    await assert.rejects(copyFrom(broken()), (error) => error === failure);
    assert.equal(bench.connection.status, 'idle');
    assert.equal(await count(), 0);
  });

  test('data the server refuses stops the source', async () => {
    await fresh();
    let asked = 0;
    let returned = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          asked += 1;
          yield bytes('no number\tx\n'.repeat(1000));
          await sleep(1);
        }
      } finally {
        returned = true;
      }
    }
    await assert.rejects(copyFrom(endless()), DataError);
    assert.ok(asked < 10_000);
    assert.equal(await count(), 0);
    for (let i = 0; i < 100 && !returned; i++) await sleep(5);
    assert.ok(returned);
  });

  test('a signal ends it, even while the source has nothing to give', async () => {
    await fresh();
    const stop = new AbortController();
    async function* stuck(): AsyncGenerator<Uint8Array> {
      yield bytes('1\ta\n');
      setTimeout(() => stop.abort(), 20);
      await new Promise(() => {});
    }
    await assert.rejects(copyFrom(stuck(), stop.signal), CancelledError);
    assert.equal(await count(), 0);
    await assert.rejects(copyFrom([bytes('1\ta\n')], stop.signal), { outcome: 'not-sent' });
  });

  test('a statement that is no COPY, or one the other way, is refused and costs nothing', async () => {
    await fresh();
    const { connection } = bench;
    assert.ok(connection.copyFrom);
    await assert.rejects(connection.copyFrom('copy nowhere from stdin', []), ProgrammingError);
    await assert.rejects(connection.copyFrom('select 1', []), UsageError);
    await assert.rejects(connection.copyFrom('copy copied to stdout', []), UsageError);
    await assert.rejects(
      copyTo('copy nowhere to stdout', () => {}),
      ProgrammingError,
    );
    await assert.rejects(
      copyTo('select 1', () => {}),
      UsageError,
    );
    await assert.rejects(
      copyTo('copy copied from stdin', () => {}),
      UsageError,
    );
    assert.equal(bench.connection.status, 'idle');
    assert.equal(await count(), 0);
  });

  test('a slow target is waited for, and one that fails stops the COPY with its error', async () => {
    let busy = 0;
    let most = 0;
    let total = 0;
    const sql = `copy (select repeat('y', 1000) from generate_series(1, 2000)) to stdout`;
    await copyTo(sql, async (chunk) => {
      busy += 1;
      most = Math.max(most, busy);
      total += chunk.length;
      if (total % 50_000 < 1000) await sleep(1);
      busy -= 1;
    });
    assert.deepEqual([most, total], [1, 2000 * 1001]);
    const failure = new TypeError('the disk is full');
    const long = `copy (select repeat('z', 1000) from generate_series(1, 10000000)) to stdout`;
    await assert.rejects(
      copyTo(long, () => {
        throw failure;
      }),
      (error) => error === failure,
    );
    assert.equal(bench.connection.status, 'idle');
    await assert.rejects(
      copyTo(long, () => sleep(1), AbortSignal.timeout(50)),
      CancelledError,
    );
    await assert.rejects(
      copyTo(long, () => new Promise(() => {}), AbortSignal.timeout(50)),
      CancelledError,
    );
    assert.equal(await bench.one('select 1'), 1);
  });

  test('inside a transaction it is a part of it', async () => {
    await fresh();
    await bench.run('begin');
    await copyFrom([bytes('1\ta\n')]);
    assert.equal(bench.connection.status, 'transaction');
    await bench.run('rollback');
    assert.equal(await count(), 0);
  });
}
