import type { Workload } from '../workload.ts';

const CHECKOUTS = 20_000;

/** W9: a warm connection out of the pool and back, nothing else. */
export const checkout: Workload = {
  name: 'W9',
  title: 'pool checkout and return',
  operation: 'checkout',
  async athanor({ engine }) {
    return {
      async run() {
        for (let n = 0; n < CHECKOUTS; n++) {
          const connection = await engine.connect();
          await connection.close();
        }
        return CHECKOUTS;
      },
      close: async () => {},
    };
  },
  async pg(bench) {
    const { Pool } = await import('pg').then((module) => module.default);
    const pool = new Pool({ connectionString: bench.url, max: 10 });
    return {
      async run() {
        for (let n = 0; n < CHECKOUTS; n++) {
          const client = await pool.connect();
          client.release();
        }
        return CHECKOUTS;
      },
      close: () => pool.end(),
    };
  },
};
