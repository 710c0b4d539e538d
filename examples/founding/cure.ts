// The cure that people are told to remember elsewhere: close the session and dispose of the engine before a child is
// started, and open a new session afterwards. With athanor it is not needed; it works all the same, on one engine,
// because an engine that was disposed of simply connects again.
import assert from 'node:assert/strict';
import { createEngine, defineJob, isMain, sessionmaker } from 'athanor';
import { url } from './database.ts';
import type { Iteration, Row } from './iteration.ts';
import { Base, Dummy } from './model.ts';

const engine = createEngine(url);
const Session = sessionmaker({ bind: engine });

export const increment = defineJob(import.meta.url, 'increment', async (_job, id: number) => {
  const session = Session();
  const dummy = await session.getOne(Dummy, id);
  dummy.value += 1;
  await session.commit();
  await session.close();
});

export async function main({ child = (id) => increment.fork(id) }: Iteration = {}): Promise<Row[]> {
  await Base.metadata.createAll(engine);
  const before = Session();
  const dummy = new Dummy({ value: 1 });
  before.add(dummy);
  await before.commit();
  const { id } = dummy;
  await before.close();
  await engine.dispose();

  await child(id);

  const after = Session();
  const { value } = await after.getOne(Dummy, id);
  await after.close();
  await engine.dispose();
  return [{ id, value }];
}

if (isMain(import.meta)) {
  const [row] = await main();
  assert.equal(row?.value, 2);
}
