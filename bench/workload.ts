// What a workload is: the same work twice, once through athanor's public API and once through `pg` with named
// prepared statements. The runner interleaves them, so that both meet the machine in the same mood.
import type { Engine } from 'athanor';
import type { Client } from 'pg';

export interface Bench {
  readonly engine: Engine;
  /** Connection details for `pg`. */
  readonly url: string;
  readonly ca: string | undefined;
}

/** One side of a workload. `run` does the work once and says how many operations that were. */
export interface Contestant {
  run(): Promise<number>;
  close(): Promise<void>;
}

export interface Workload {
  readonly name: string;
  readonly title: string;
  /** What one operation is, for the CPU figure. */
  readonly operation: string;
  athanor(bench: Bench): Promise<Contestant>;
  pg(bench: Bench): Promise<Contestant>;
}

/** Connects a bare `pg` client to the bench's server. */
export async function pgClient(bench: Bench): Promise<Client> {
  const { Client: PgClient } = await import('pg').then((module) => module.default);
  const client = new PgClient({ connectionString: bench.url });
  await client.connect();
  return client;
}
