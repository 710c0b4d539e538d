// The founding programme as it was first written: engine and session are globals of the module, made anew and taken
// down again at every iteration, in the main process and in each child. Over a bare fork this is the form that dies:
// the child inherits the parent's connection and ends its transaction. Here a child inherits nothing, so nothing breaks.
import assert from 'node:assert/strict';
import { createEngine, defineJob, type Engine, isMain, sessionmaker } from 'athanor';
import { url } from './database.ts';
import type { Iteration, Row } from './iteration.ts';
import { Base, Dummy } from './model.ts';

let engine: Engine;
let Session: ReturnType<typeof sessionmaker>;
let session: ReturnType<typeof Session>;

async function init(): Promise<void> {
  engine = createEngine(url);
  Session = sessionmaker({ bind: engine });
  session = Session();
  await Base.metadata.createAll(engine);
}

async function cleanup(): Promise<void> {
  await session.close();
  await engine.dispose();
}

export const increment = defineJob(import.meta.url, 'increment', async (_job, id: number) => {
  await init();
  const dummy = await session.getOne(Dummy, id);
  dummy.value += 1;
  await session.commit();
  await cleanup();
});

export async function main({ child = (id) => increment.fork(id) }: Iteration = {}): Promise<Row[]> {
  await init();
  const dummy = new Dummy({ value: 1 });
  session.add(dummy);
  await session.commit();

  await child(dummy.id);

  await session.refresh(dummy);
  const { id, value } = dummy;
  await cleanup();
  return [{ id, value }];
}

if (isMain(import.meta)) {
  const [row] = await main();
  assert.equal(row?.value, 2);
}
