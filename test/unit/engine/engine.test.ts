import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import {
  DeadlockError,
  PoolClosedError,
  SerializationFailureError,
  UniqueViolationError,
  UsageError,
} from '../../../src/errors/index.ts';
import { settled } from '../../../src/testing/clock.ts';
import { engineFixture } from './engine-fixture.ts';

describe('transaction()', () => {
  it('runs the whole of it again on a serialization failure or a deadlock, on a transaction of its own each time', async () => {
    const { engine, ran } = engineFixture({ max: 1 });
    const failures = [new SerializationFailureError('conflict'), new DeadlockError('deadlock')];
    const value = await engine.transaction(async (connection) => {
      await connection.raw(`select run${failures.length}`);
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      return 'done';
    });
    assert.equal(value, 'done');
    assert.deepEqual(ran(), [
      ...['BEGIN', 'select run2', 'ROLLBACK'],
      ...['BEGIN', 'select run1', 'ROLLBACK'],
      ...['BEGIN', 'select run0', 'COMMIT'],
    ]);
  });

  it('gives up after the retries asked for, and at once on any other failure', async () => {
    const { engine } = engineFixture({ max: 1 });
    let runs = 0;
    const failing = (error: Error) => async (): Promise<never> => {
      runs += 1;
      throw error;
    };
    await assert.rejects(engine.transaction(failing(new DeadlockError('again')), { retries: 2 }), DeadlockError);
    assert.equal(runs, 3);
    runs = 0;
    await assert.rejects(engine.transaction(failing(new UniqueViolationError('taken'))), UniqueViolationError);
    assert.equal(runs, 1);
    runs = 0;
    await assert.rejects(engine.transaction(failing(new DeadlockError('once')), { retries: 0 }), DeadlockError);
    assert.equal(runs, 1);
    await assert.rejects(
      engine.transaction(async () => {}, { retries: -1 }),
      UsageError,
    );
  });

  it('a failure of COMMIT counts, and an abort ends the pause', async () => {
    const { engine, driver } = engineFixture({ max: 1 });
    let refused = 0;
    driver.script = ({ text }, on) => {
      if (text.sql !== 'COMMIT' || refused > 0) return undefined;
      refused += 1;
      on.status = 'idle';
      return { error: new SerializationFailureError('at commit') };
    };
    await engine.transaction((connection) => connection.raw('select a').all());
    assert.equal(refused, 1);
    const abort = new AbortController();
    await assert.rejects(
      engine.transaction(
        async () => {
          abort.abort();
          throw new DeadlockError('again');
        },
        { signal: abort.signal },
      ),
      { code: 'ATH_CANCELLED' },
    );
  });
});

describe('an engine', () => {
  it('dispose() closes its connections and leaves it usable; close() ends it', async () => {
    const { engine, driver, permits } = engineFixture();
    const out = await engine.connect();
    await engine.begin((connection) => connection.raw('select a').all());
    await engine.dispose();
    assert.equal(driver.open, 1);
    await out.raw('select b');
    await out.commit();
    await out.close();
    await settled();
    assert.equal(driver.open, 0);
    await engine.begin((connection) => connection.raw('select c').all());
    assert.equal(driver.open, 1);
    await engine.close();
    assert.equal(driver.open, 0);
    assert.equal(permits.status.held, 0);
    await assert.rejects(engine.connect(), PoolClosedError);
  });

  it('shows its address and its pool, and no more', async () => {
    const { engine } = engineFixture();
    const connection = await engine.connect();
    assert.match(inspect({ engine }), /Engine postgresql:\/\/user:\*\*\*@host\/db \(1 of 2 open, 1 in use/);
    assert.match(JSON.stringify({ engine }), /"object":"An engine","url":"postgresql:\/\/user:\*\*\*@host\/db"/);
    for (const thing of [engine, engine.pool, connection, await connection.begin()]) {
      assert.throws(() => structuredClone({ deep: [thing] }), { code: 'ATH_NOT_TRANSFERABLE' });
      assert.doesNotThrow(() => inspect(thing, { depth: 10 }));
      assert.doesNotThrow(() => JSON.stringify(thing));
    }
    await connection.close();
  });

  it('connections are called on the server what the permit says', async () => {
    const names: unknown[] = [];
    const { engine, driver, permits } = engineFixture();
    const acquire = permits.acquire.bind(permits);
    permits.acquire = async (options) => Object.assign(await acquire(options), { applicationName: 'athanor/x/1/p' });
    driver.onConnect = (_, options) => void names.push(options.applicationName);
    await (await engine.connect()).close();
    assert.deepEqual(names, ['athanor/x/1/p']);
  });
});

describe('echo', () => {
  it('prints each statement with time, rows, whether it was known, and the caller; values only when asked', async () => {
    for (const echo of ['plain', 'values'] as const) {
      const lines: string[] = [];
      const write = process.stderr.write;
      const options = echo === 'plain' ? (line: string) => void lines.push(line) : ('values' as const);
      if (echo === 'values') process.stderr.write = ((line: string) => lines.push(line) > 0) as typeof write;
      try {
        const { engine, driver } = engineFixture({ echo: options });
        driver.script = ({ text }) => (text.sql.startsWith('select') ? { rows: [[1], [2]] } : undefined);
        await engine.begin(async (connection) => {
          await connection.raw('select  $1', ['secret']).tuples();
          await connection.raw('select  $1', ['secret']).tuples();
        });
      } finally {
        process.stderr.write = write;
      }
      assert.equal(lines.length, 4);
      assert.match(lines[0] ?? '', /^BEGIN {2}-- [\d.]+ ms/);
      assert.match(
        lines[1] ?? '',
        /^select \$1 \[.*\] {2}-- [\d.]+ ms, 2 rows, no key, connection \S+, at .*engine\.test\.ts:\d+/,
      );
      assert.match(lines[3] ?? '', /^COMMIT/);
      assert.equal(lines.join('').includes('secret'), echo === 'values');
    }
  });

  it('says what failed', async () => {
    const lines: string[] = [];
    const { engine, driver } = engineFixture({ echo: (line) => void lines.push(line) });
    driver.script = ({ text }) => (text.sql === 'select wrong' ? { error: new DeadlockError('oh') } : undefined);
    await assert.rejects(engine.begin((connection) => connection.raw('select wrong').all()));
    assert.ok(lines.some((line) => /failed after .* oh/.test(line)));
  });
});
