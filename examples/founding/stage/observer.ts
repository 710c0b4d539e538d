// Looks at the server, not at athanor: which backends the programme has, whose they are and what they do. It asks with
// a connection of its own, through another driver, so what it says owes nothing to the library it watches.
import type pg from 'pg';

/** A server process that serves the programme. */
export interface Backend {
  readonly backend: number;
  /** The process that opened it, as its application_name says; none for the broker's own, which asks the server. */
  readonly client: number | undefined;
  /** `active`, `idle`, `idle in transaction`, ... */
  readonly state: string;
  readonly waits: string;
  readonly statement: string;
}

const LOOK = `
  select pid as backend, application_name as application, coalesce(state, 'starting') as state,
    coalesce(wait_event_type, '') as waits, left(query, 200) as statement
  from pg_stat_activity
  where usename = $1 and backend_type = 'client backend' and pid <> pg_backend_pid()
    and application_name <> 'founding-observer'
  order by backend_start, pid`;

/** Samples the server's list of connections. */
export class Observer {
  readonly #client: pg.Client;
  readonly #role: string;
  backends: readonly Backend[] = [];
  /** The most connections any look has seen. */
  peak = 0;
  looks = 0;

  constructor(client: pg.Client, role: string) {
    this.#client = client;
    this.#role = role;
  }

  async look(): Promise<readonly Backend[]> {
    const { rows } = await this.#client.query<Omit<Backend, 'client'> & { application: string }>(LOOK, [this.#role]);
    this.backends = rows.map(({ application, ...row }) => ({ ...row, client: clientOf(application) }));
    this.peak = Math.max(this.peak, rows.length);
    this.looks++;
    return this.backends;
  }

  /** The rows as the server has them, read past athanor. */
  async values(): Promise<ReadonlyMap<number, number>> {
    const { rows } = await this.#client.query<{ id: number; value: number }>('select id, value from founding_dummies');
    return new Map(rows.map(({ id, value }) => [id, value]));
  }
}

/** The process that a connection of athanor's serves; its name ends in `/process/permit`. */
export function clientOf(application: string): number | undefined {
  const pid = /\/(\d+)\/[^/]+$/.exec(application)?.[1];
  return pid === undefined ? undefined : Number(pid);
}
