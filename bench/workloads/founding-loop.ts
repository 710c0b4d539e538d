import { sessionmaker } from 'athanor';
import { Dummy } from '../model.ts';
import { pgClient, type Workload } from '../workload.ts';

const LOOPS = 1_000;

/** W7: the founding loop, one transaction each: get by key, add one, commit. */
export const foundingLoop: Workload = {
  name: 'W7',
  title: 'transaction: get, add one, commit',
  operation: 'transaction',
  async athanor({ engine }) {
    const Session = sessionmaker({ bind: engine });
    return {
      async run() {
        for (let n = 0; n < LOOPS; n++) {
          await Session.begin(async (session) => {
            const dummy = await session.getOne(Dummy, 1);
            dummy.value += 1;
          });
        }
        return LOOPS;
      },
      close: async () => {},
    };
  },
  async pg(bench) {
    const client = await pgClient(bench);
    return {
      async run() {
        for (let n = 0; n < LOOPS; n++) {
          await client.query('begin');
          const { rows } = await client.query({
            name: 'w7r',
            text: 'select id, value from bench_dummies where id = $1',
            values: [2],
          });
          await client.query({
            name: 'w7w',
            text: 'update bench_dummies set value = $1 where id = $2',
            values: [rows[0].value + 1, 2],
          });
          await client.query('commit');
        }
        return LOOPS;
      },
      close: () => client.end(),
    };
  },
};
