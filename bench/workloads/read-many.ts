import { select, sessionmaker } from 'athanor';
import { ITEMS, Item } from '../model.ts';
import { pgClient, type Workload } from '../workload.ts';

/** W3: 10,000 rows of eight typed columns, for athanor into tracked entities, for `pg` into plain objects. */
export const readMany: Workload = {
  name: 'W3',
  title: '10,000 rows of 8 columns into entities',
  operation: 'row',
  async athanor({ engine }) {
    const Session = sessionmaker({ bind: engine });
    return {
      async run() {
        const session = Session();
        const items = await session.scalars(select(Item)).all();
        await session.close();
        if (items.length !== ITEMS) throw new RangeError('rows are missing');
        return ITEMS;
      },
      close: async () => {},
    };
  },
  async pg(bench) {
    const client = await pgClient(bench);
    return {
      async run() {
        const { rows } = await client.query({
          name: 'w3',
          text: 'select id, big, label, made_at, price, active, attributes, token from bench_items',
        });
        if (rows.length !== ITEMS) throw new RangeError('rows are missing');
        return ITEMS;
      },
      close: () => client.end(),
    };
  },
};
