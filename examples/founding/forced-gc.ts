// The scoped form once more, with the garbage collector forced to run inside the child while its session is open. That is
// the moment at which the founding failure struck: the collector found the session inherited from the parent and ended
// its transaction. Here there is nothing inherited to be found.
import assert from 'node:assert/strict';
import { createEngine, defineJob, isMain, select, sessionmaker } from 'athanor';
import { url } from './database.ts';
import type { Iteration, Row } from './iteration.ts';
import { Base, Dummy } from './model.ts';

const engine = createEngine(url);
const Session = sessionmaker({ bind: engine });

function collectGarbage(): void {
  assert.ok(globalThis.gc !== undefined, 'the child runs with --expose-gc');
  globalThis.gc();
}

export const increment = defineJob(import.meta.url, 'increment', async (_job, id: number) => {
  collectGarbage();
  await Session.begin(async (session) => {
    const dummy = await session.getOne(Dummy, id);
    collectGarbage();
    dummy.value += 1;
    await session.flush();
    collectGarbage();
  });
  collectGarbage();
}).with({ execArgv: [...process.execArgv, '--expose-gc'] });

export async function main({ rows = 1, child = (id) => increment.fork(id) }: Iteration = {}): Promise<Row[]> {
  await Base.metadata.createAll(engine);

  const ids = await Session.begin(async (session) => {
    const dummies = Array.from({ length: rows }, () => new Dummy({ value: 1 }));
    session.addAll(dummies);
    await session.flush();
    return dummies.map((dummy) => dummy.id);
  });

  const read = await Session.begin(async (session) => {
    const dummies = await session.scalars(select(Dummy).where(Dummy.c.id.in(ids))).all();

    await Promise.all(ids.map(child));

    for (const dummy of dummies) await session.refresh(dummy);
    return dummies.map(({ id, value }) => ({ id, value }));
  });

  await engine.dispose();
  return read;
}

if (isMain(import.meta)) {
  const [row] = await main();
  assert.equal(row?.value, 2);
}
