import { select } from 'athanor';
import { ITEMS, Item } from '../model.ts';
import { pgClient, type Workload } from '../workload.ts';

const READS = 2_000;
const QUERY = 'select id, big, label, made_at, price, active, attributes, token from bench_items where id = $1';
const key = (n: number): number => ((n * 7919) % ITEMS) + 1;

/** W1: read by key, one connection, one after another. */
export const pointRead: Workload = {
  name: 'W1',
  title: 'point read by key, one after another',
  operation: 'read',
  async athanor({ engine }) {
    const connection = await engine.connect();
    const { c } = Item;
    return {
      async run() {
        for (let n = 0; n < READS; n++) {
          const row = await connection
            .execute(
              select(c.id, c.big, c.label, c.madeAt, c.price, c.active, c.attributes, c.token).where(c.id.eq(key(n))),
            )
            .one();
          if (row.id !== key(n)) throw new RangeError('wrong row');
        }
        return READS;
      },
      close: () => connection.close(),
    };
  },
  async pg(bench) {
    const client = await pgClient(bench);
    return {
      async run() {
        for (let n = 0; n < READS; n++) {
          const { rows } = await client.query({ name: 'w1', text: QUERY, values: [key(n)] });
          if (rows[0].id !== key(n)) throw new RangeError('wrong row');
        }
        return READS;
      },
      close: () => client.end(),
    };
  },
};
