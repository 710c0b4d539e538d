// What one select costs between the caller and the driver: frames on the stack when the driver is called, and promises
// made until the rows are there. The path is printed; ARCHITECTURE.md shows the same.
import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { it } from 'node:test';
import { literal, select } from '../../../src/sql/index.ts';
import type { FakeConnection } from '../../../src/testing/fake-driver.ts';
import { engineFixture } from './engine-fixture.ts';

/** A driver's own promises for one batch, as the PostgreSQL driver makes them. */
const DRIVER_PROMISES = 1;

async function promisesOf(work: () => Promise<unknown>): Promise<number> {
  let count = 0;
  const hook = createHook({
    init(_id, type) {
      if (type === 'PROMISE') count += 1;
    },
  });
  hook.enable();
  try {
    await work();
  } finally {
    hook.disable();
  }
  // The measuring function's own promise, and the await of it.
  return count - 2;
}

function pathTo(connection: FakeConnection): { read: () => string[] } {
  let path: string[] = [];
  const submit = connection.submit.bind(connection);
  connection.submit = (batch, sink, options) => {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 50;
    const { stack = '' } = new Error('here');
    Error.stackTraceLimit = stackTraceLimit;
    const frames = stack.split('\n').filter((line) => line.includes('/src/') && !line.includes('/src/testing/'));
    path = frames.map((line) =>
      line
        .trim()
        .replace(/\(.*\/src\//, '(src/')
        .replace(/:\d+\)$/, ')'),
    );
    return submit(batch, sink, options);
  };
  return { read: () => path };
}

it('a select is at most 4 frames and 10 promises from the driver', async (test) => {
  const { engine, driver } = engineFixture();
  driver.script = ({ text }) => (text.sql.startsWith('SELECT') ? { rows: [[1]] } : undefined);
  const connection = await engine.connect();
  const path = pathTo(driver.connections[0] as FakeConnection);
  const statement = select({ answer: literal(1) });
  const run = async (): Promise<void> => {
    await connection.execute(statement);
  };
  const first = await promisesOf(run);
  const frames = path.read();
  const warm = await promisesOf(run);
  test.diagnostic(`select, ${frames.length} frames:\n${frames.join('\n')}`);
  test.diagnostic(`promises: ${first} with BEGIN, ${warm} inside a transaction`);
  assert.ok(frames.length <= 4, `${frames.length} frames`);
  assert.ok(warm + 3 - DRIVER_PROMISES <= 10, `${warm} promises`);
  assert.ok(first + 3 - DRIVER_PROMISES <= 10, `${first} promises`);
  await connection.close();
});

it('a transaction of one select, connection and COMMIT included, is at most 30 promises', async (test) => {
  const { engine } = engineFixture();
  const statement = select({ answer: literal(1) });
  const run = async (): Promise<void> => {
    await engine.begin(async (connection) => {
      await connection.execute(statement);
    });
  };
  await run();
  const promises = await promisesOf(run);
  test.diagnostic(`engine.begin with one select: ${promises} promises`);
  assert.ok(promises <= 30, `${promises} promises`);
});

it('a warm checkout and return is at most 12 promises', async (test) => {
  const { engine } = engineFixture();
  const run = async (): Promise<void> => {
    const connection = await engine.connect();
    await connection.close();
  };
  await run();
  const promises = await promisesOf(run);
  test.diagnostic(`connect and close: ${promises} promises`);
  assert.ok(promises <= 12, `${promises} promises`);
});
