// A process that comes into the way of its like: it is told what to do on its channel, and says how that went.
import { setTimeout as sleep } from 'node:timers/promises';
import { declarativeBase, integer, select, serializeError, sessionmaker, text } from '../../../src/index.ts';
import { postgresqlDialect } from '../../../src/dialects/postgresql/dialect.ts';
import { createPostgresDriver } from '../../../src/dialects/postgresql/driver/index.ts';
import { parsePostgresUrl } from '../../../src/dialects/postgresql/url.ts';
import { Engine } from '../../../src/engine/engine.ts';
import { LocalPermits } from '../../../src/pool/local-permits.ts';

export type Conflict =
  /** Changes row `from`, waits for `go`, then changes row `to`: in a circle, a deadlock. */
  | { readonly kind: 'cross'; readonly from: number; readonly to: number }
  /** Changes all rows in a random order, many times, as units of work. */
  | { readonly kind: 'flush'; readonly rounds: number }
  /** Takes from one of two accounts as long as both together bear it. */
  | { readonly kind: 'skew'; readonly rounds: number };

export interface ConflictPlan {
  readonly url: string;
  readonly conflict: Conflict;
}

export interface ConflictReport {
  /** How often the whole of a transaction was run. */
  readonly runs: number;
  /** How many were committed. */
  readonly commits: number;
  /** What the committed ones took, together. */
  readonly taken: number;
}

export class Row extends declarativeBase().table('conflict', {
  id: integer().primaryKey(),
  value: integer(),
  name: text(),
}) {}

const channel = (message: object): void => {
  process.send?.(message);
};
let go: () => void = () => {};
const gone = new Promise<void>((resolve) => {
  go = resolve;
});

async function cross(engine: Engine, { from, to }: { from: number; to: number }): Promise<ConflictReport> {
  let runs = 0;
  await engine.transaction(
    async (connection) => {
      runs += 1;
      await connection.raw('update conflict set value = value + 1 where id = $1', [from]).all();
      if (runs === 1) channel({ locked: true });
      await gone;
      await connection.raw('update conflict set value = value + 1 where id = $1', [to]).all();
    },
    { retries: 10 },
  );
  return { runs, commits: 1, taken: 0 };
}

async function flush(engine: Engine, rounds: number): Promise<ConflictReport> {
  const Session = sessionmaker({ bind: engine });
  for (let round = 0; round < rounds; round += 1) {
    await Session.begin(async (session) => {
      const rows = await session.scalars(select(Row)).all();
      // Changed in no order of the caller's: the order is for the unit of work to keep.
      for (const row of rows.toSorted(() => Math.random() - 0.5)) row.name = `${process.pid}.${round}`;
    });
  }
  return { runs: rounds, commits: rounds, taken: 0 };
}

async function skew(engine: Engine, rounds: number): Promise<ConflictReport> {
  let runs = 0;
  let commits = 0;
  let taken = 0;
  for (let round = 0; round < rounds; round += 1) {
    const account = 1 + Math.floor(Math.random() * 2);
    const amount = 1 + Math.floor(Math.random() * 5);
    const took = await engine.transaction(
      async (connection) => {
        runs += 1;
        const { sum } = await connection
          .raw<{ sum: number }>('select sum(value)::int as sum from conflict where id in (1, 2)')
          .one();
        if (sum < amount) return 0;
        await sleep(1);
        await connection.raw('update conflict set value = value - $1 where id = $2', [amount, account]).all();
        return amount;
      },
      { isolation: 'serializable', retries: 1_000 },
    );
    commits += 1;
    taken += took;
  }
  return { runs, commits, taken };
}

async function run({ url, conflict }: ConflictPlan): Promise<ConflictReport> {
  const driver = createPostgresDriver(parsePostgresUrl(url, {}));
  const engine = new Engine({ dialect: postgresqlDialect({ driver }), permits: new LocalPermits({ max: 2 }), url: '' });
  try {
    if (conflict.kind === 'cross') return await cross(engine, conflict);
    return conflict.kind === 'flush' ? await flush(engine, conflict.rounds) : await skew(engine, conflict.rounds);
  } finally {
    await engine.close();
  }
}

if (process.send !== undefined) {
  process.on('message', (message: ConflictPlan | 'go') => {
    if (message === 'go') return go();
    return void run(message)
      .then(
        (report) => channel({ report }),
        (error: unknown) => channel({ error: serializeError(error) }),
      )
      .finally(() => process.disconnect());
  });
}
