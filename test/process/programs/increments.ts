// One shared row, incremented by many processes at once, in the three ways that are right and the one that is refused.
import { assign, createEngine, declarativeBase, defineJob, integer, select, sessionmaker } from '../../../src/index.ts';

class Base extends declarativeBase() {}
export class Counter extends Base.table('increment_counters', { id: integer().primaryKey(), value: integer() }) {}
export class Versioned extends Base.table('increment_versioned', {
  id: integer().primaryKey(),
  value: integer(),
  version: integer().version(),
}) {}
export const { metadata } = Base;

export type Way = 'assign' | 'forUpdate' | 'version';

/** Adds one to row 1, `times` times. */
export const increment = defineJob(import.meta.url, 'increment', async (_job, url: string, way: Way, times: number) => {
  const engine = createEngine(url);
  const Session = sessionmaker({ bind: engine });
  for (let n = 0; n < times; n++) await ways[way](Session);
  await engine.close();
  return times;
});

type Sessions = ReturnType<typeof sessionmaker>;

const ways: Readonly<Record<Way, (Session: Sessions) => Promise<void>>> = {
  assign: (Session) =>
    Session.begin(async (session) => {
      const counter = await session.getOne(Counter, 1);
      assign(counter, { value: Counter.c.value.plus(1) });
    }),
  forUpdate: (Session) =>
    Session.begin(async (session) => {
      const counter = await session.scalars(select(Counter).where(Counter.c.id.eq(1)).forUpdate()).one();
      counter.value += 1;
    }),
  version: async (Session) => {
    for (;;) {
      try {
        await Session.begin(async (session) => {
          const counter = await session.getOne(Versioned, 1);
          counter.value += 1;
        });
        return;
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ATH_STALE_DATA')) throw error;
      }
    }
  },
};
