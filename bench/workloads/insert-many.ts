import { deleteFrom, sessionmaker } from 'athanor';
import { Entry } from '../model.ts';
import { pgClient, type Workload } from '../workload.ts';

const ROWS = 10_000;

/** W5: 10,000 new rows in one transaction, generated ids back. `pg` sends them by unnest, the best it can do. */
export const insertMany: Workload = {
  name: 'W5',
  title: 'insert 10,000 new rows, ids back',
  operation: 'row',
  async athanor({ engine }) {
    const Session = sessionmaker({ bind: engine });
    return {
      async run() {
        await Session.begin(async (session) => {
          const entries = Array.from({ length: ROWS }, (_, n) => new Entry({ name: `entry ${n}`, amount: n }));
          session.addAll(entries);
          await session.flush();
          if (typeof entries[ROWS - 1]?.id !== 'number') throw new RangeError('an id is missing');
        });
        await engine.begin((connection) => connection.execute(deleteFrom(Entry).everyRow()).all());
        return ROWS;
      },
      close: async () => {},
    };
  },
  async pg(bench) {
    const client = await pgClient(bench);
    return {
      async run() {
        const entries = Array.from({ length: ROWS }, (_, n) => ({ id: 0, name: `entry ${n}`, amount: n }));
        await client.query('begin');
        const { rows } = await client.query({
          name: 'w5',
          text: 'insert into bench_entries (name, amount) select * from unnest($1::text[], $2::int4[]) returning id',
          values: [entries.map((entry) => entry.name), entries.map((entry) => entry.amount)],
        });
        for (const [n, row] of rows.entries()) (entries[n] as { id: number }).id = row.id;
        await client.query('commit');
        await client.query('delete from bench_entries');
        return ROWS;
      },
      close: () => client.end(),
    };
  },
};
