// The founding programme with scopes in place of globals: a session lives as long as its callback, which commits at its
// end and rolls back when it throws. The main process is inside such a scope, holding a connection in a transaction,
// while its children start, work and go.
import assert from 'node:assert/strict';
import { createEngine, defineJob, isMain, select, sessionmaker } from 'athanor';
import { url } from './database.ts';
import type { Iteration, Row } from './iteration.ts';
import { Base, Dummy } from './model.ts';

const engine = createEngine(url);
const Session = sessionmaker({ bind: engine });

export const increment = defineJob(import.meta.url, 'increment', async (_job, id: number) => {
  await Session.begin(async (session) => {
    const dummy = await session.getOne(Dummy, id);
    dummy.value += 1;
  });
});

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
