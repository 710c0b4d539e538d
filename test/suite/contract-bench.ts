// What the cases of the driver contract work with: a server on one way, and a fresh connection for each case.
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { DriverConnection, DriverStatement, Scalar } from '../../src/driver/driver.ts';
import type { PostgresOptions } from '../../src/dialects/postgresql/driver/options.ts';
import { type Answer, one, run, type RunOptions } from '../integration/postgresql-driver-kit.ts';
import { type Reached, reach, type Way } from '../ways.ts';

export interface Bench {
  readonly way: Way;
  /** Only inside a test. */
  readonly reached: Reached;
  /** The connection of the running test. */
  readonly connection: DriverConnection;
  /** Another one, closed after the test. */
  open(options?: Partial<PostgresOptions>): Promise<DriverConnection>;
  run(sql: string, params?: readonly Scalar[], options?: RunOptions): Promise<Answer>;
  one(sql: string, params?: readonly Scalar[], options?: RunOptions): Promise<Scalar>;
  submit(batch: readonly DriverStatement[], on?: DriverConnection): Promise<void>;
  /** A case that needs a session of its own: behind a pooler that lends one for each transaction it is named and left out. */
  sessionTest(title: string, body: () => Promise<void>): void;
}

const POOLED = 'a transaction pooler lends another server session to each transaction';

/** Registers the hooks in the suite that is being described. */
export function openBench(way: Way): Bench {
  let reached: Reached | undefined;
  let connection: DriverConnection | undefined;
  let others: DriverConnection[] = [];
  before(async () => {
    reached = await reach(way);
  });
  after(() => reached?.stop());
  beforeEach(async () => {
    connection = await bench.reached.driver().connect();
  });
  afterEach(async () => {
    const all = [...others, ...(connection === undefined ? [] : [connection])];
    others = [];
    await Promise.all(all.map((one) => one.close()));
  });
  const bench: Bench = {
    way,
    get reached() {
      if (reached === undefined) throw new TypeError('The way is open only inside a test.');
      return reached;
    },
    get connection() {
      if (connection === undefined) throw new TypeError('There is a connection only inside a test.');
      return connection;
    },
    async open(options) {
      const opened = await bench.reached.driver(options).connect();
      others.push(opened);
      return opened;
    },
    run: (sql, params, options) => run(bench.connection, sql, params, options),
    one: (sql, params, options) => one(bench.connection, sql, params, options),
    submit: (batch, on = bench.connection) => on.submit(batch, { row: () => {} }),
    sessionTest(title, body) {
      test(title, { skip: way.transport === 'pgbouncer' ? POOLED : false }, body);
    },
  };
  return bench;
}
