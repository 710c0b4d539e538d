// A shared row, all children at once: no increment may be lost, and the way that would lose one is refused.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createEngine, type Engine, sessionmaker, StaleDataError } from '../../src/index.ts';
import { startPostgres } from '../servers.ts';
import { Counter, increment, metadata, Versioned, type Way } from './programs/increments.ts';

const CHILDREN = 6;
const TIMES = 25;

let server: Awaited<ReturnType<typeof startPostgres>>;
let engine: Engine;
before(async () => {
  server = await startPostgres({});
  engine = createEngine(server.url);
  await metadata.createAll(engine);
  await sessionmaker({ bind: engine }).begin(async (session) => {
    session.addAll([new Counter({ id: 1, value: 0 }), new Versioned({ id: 1, value: 0 })]);
  });
});
after(async () => {
  await engine.close();
  await server.stop();
});

for (const way of ['assign', 'forUpdate', 'version'] satisfies Way[]) {
  test(`${CHILDREN} children add one ${TIMES} times each to one row: exact by ${way}`, async () => {
    const Session = sessionmaker({ bind: engine });
    const entity = way === 'version' ? Versioned : Counter;
    const read = () => Session.begin(async (session) => (await session.getOne(entity as typeof Counter, 1)).value);
    const start = await read();
    await Promise.all(Array.from({ length: CHILDREN }, () => increment.fork(server.url, way, TIMES)));
    assert.equal(await read(), start + CHILDREN * TIMES);
  });
}

test('[X36] a plain += on an entity read in an earlier transaction raises StaleDataError instead of losing an update', async () => {
  const session = sessionmaker({ bind: engine })();
  const counter = await session.getOne(Counter, 1);
  await session.commit();
  const before = counter.value;
  await increment.fork(server.url, 'assign', 1);
  counter.value += 1;
  await assert.rejects(
    () => session.commit(),
    (error: unknown) => error instanceof StaleDataError && error.message.includes('increment_counters'),
  );
  await session.rollback();
  assert.equal((await session.get(Counter, 1))?.value, before + 1);
  await session.close();
});
