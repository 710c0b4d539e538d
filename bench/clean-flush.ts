// What a flush with nothing to write costs: 100,000 loaded entities of eight columns, in load order. No server is
// asked, so this is a time, not a ratio.
import { insert, select, sessionmaker } from 'athanor';
import { Item } from './model.ts';
import { median } from './measure.ts';
import type { Bench } from './workload.ts';

export const ENTITIES = 100_000;

/** Loads the entities once and gives the median of `rounds` clean flushes, in milliseconds. */
export async function cleanFlush(bench: Bench, rounds: number): Promise<number> {
  const session = sessionmaker({ bind: bench.engine })();
  const items = await session.scalars(select(Item)).all();
  if (items.length !== ENTITIES) throw new RangeError(`expected ${ENTITIES} entities, found ${items.length}`);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await session.flush();
    times.push(performance.now() - start);
  }
  await session.close();
  return median(times);
}

/** Rows of {@link Item}, for whoever fills the table. */
export async function fillItems(bench: Bench, from: number, to: number): Promise<void> {
  await bench.engine.begin(async (connection) => {
    for (let start = from; start <= to; start += 5_000) {
      const rows = Array.from({ length: Math.min(5_000, to - start + 1) }, (_, n) => itemRow(start + n));
      await connection.execute(insert(Item).values(rows)).all();
    }
  });
}

function itemRow(id: number): ConstructorParameters<typeof Item>[0] {
  return {
    id,
    big: BigInt(id) * 1_000_003n,
    label: `item number ${id}`,
    madeAt: new Date(Date.UTC(2026, 0, 1) + id * 1_000),
    price: (id / 100).toFixed(2),
    active: id % 2 === 0,
    attributes: { color: id % 3 === 0 ? 'red' : 'blue', sizes: [id % 7, id % 11] },
    token: `00000000-0000-4000-8000-${id.toString(16).padStart(12, '0')}`,
  };
}
