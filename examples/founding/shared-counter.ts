// One row, and every child adds to it at the same time. There are three sound ways to do that, and each must end at
// exactly the number of increments: let the server add, lock the row before reading it, or notice by a version column
// that somebody was faster and do the work again.
import assert from 'node:assert/strict';
import { assign, createEngine, defineJob, isMain, select, sessionmaker, StaleDataError } from 'athanor';
import { url } from './database.ts';
import { Base, Counter, VersionedCounter } from './model.ts';

const engine = createEngine(url);
const Session = sessionmaker({ bind: engine });

const ways = {
  /** The server adds: `SET value = value + 1`. */
  assign: (id: number) =>
    Session.begin(async (session) => {
      const counter = await session.getOne(Counter, id);
      assign(counter, { value: Counter.c.value.plus(1) });
    }),

  /** The row is locked while it is read, so nobody comes between. */
  forUpdate: (id: number) =>
    Session.begin(async (session) => {
      const counter = await session.scalars(select(Counter).where(Counter.c.id.eq(id)).forUpdate()).one();
      counter.value += 1;
    }),

  /** Whoever was second is told so, and does the whole piece of work again. */
  version: async (id: number) => {
    for (;;) {
      try {
        await Session.begin(async (session) => {
          const counter = await session.getOne(VersionedCounter, id);
          counter.value += 1;
        });
        return;
      } catch (error) {
        if (!(error instanceof StaleDataError)) throw error;
      }
    }
  },
} satisfies Record<string, (id: number) => Promise<void>>;

export type Way = keyof typeof ways;

export const count = defineJob(import.meta.url, 'count', async (_job, way: Way, id: number, times: number) => {
  for (let n = 0; n < times; n++) await ways[way](id);
});

export interface Count {
  readonly way: Way;
  readonly expected: number;
  readonly value: number;
}

export interface Counting {
  readonly children?: number;
  readonly times?: number;
  /** Starts a child that counts and waits for its end. */
  readonly child?: (way: Way, id: number, times: number) => PromiseLike<unknown>;
}

export async function main(options: Counting = {}): Promise<Count[]> {
  const { children = 8, times = 10, child = (way, id, n) => count.fork(way, id, n) } = options;
  await Base.metadata.createAll(engine);
  const counts: Count[] = [];
  for (const way of Object.keys(ways) as Way[]) {
    const entity = way === 'version' ? VersionedCounter : Counter;
    const id = await Session.begin(async (session) => {
      const counter = new entity({ value: 0 });
      session.add(counter);
      await session.flush();
      return counter.id;
    });
    await Promise.all(Array.from({ length: children }, () => child(way, id, times)));
    const value = await Session.begin(async (session) =>
      way === 'version'
        ? (await session.getOne(VersionedCounter, id)).value
        : (await session.getOne(Counter, id)).value,
    );
    counts.push({ way, expected: children * times, value });
  }
  await engine.dispose();
  return counts;
}

if (isMain(import.meta)) {
  for (const { way, expected, value } of await main()) {
    assert.equal(value, expected, way);
    console.log(`${way}: ${value} of ${expected}`);
  }
}
