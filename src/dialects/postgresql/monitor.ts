// What a broker asks the server: how many connections there may be, and which of ours it still has. One connection,
// opened when first needed and kept, because a broker has to be able to ask just when the server is full.
import type { DriverConnection, Scalar, ServerIdentity, StatementText, WireKind } from '../../driver/driver.ts';
import type { ListedSession, ServerLimits, ServerMonitor } from '../../driver/monitor.ts';
import { StateError, UsageError } from '../../errors/index.ts';
import { BACKEND_START } from './driver/session-setup.ts';
import type { PostgresDriver } from './driver/index.ts';

/** How long an answer may take, in milliseconds. */
const PATIENCE = 10_000;

function text(sql: string, params: readonly WireKind[], results: readonly WireKind[]): StatementText {
  return Object.freeze({ sql, params, results, prepare: true });
}

/** Sessions that take one of the connections limited here. Of other roles' sessions the kind is hidden: they count. */
const CLIENTS = `select pid, usesysid, datid, ${BACKEND_START} as start
  from pg_catalog.pg_stat_activity
  where (backend_type = 'client backend' or (backend_type is null and datid is not null and usesysid is not null))
    and pid <> pg_backend_pid()`;

/** Pairs of pid and start; an unknown start matches any. */
const OURS = 'unnest($1::int4[], $2::text[]) as ours (pid, start)';

const LIMITS = text(
  `with clients as (${CLIENTS}), others as (
    select * from clients c where not exists (
      select from ${OURS} where ours.pid = c.pid and (ours.start is null or c.start is null or ours.start = c.start)))
  select current_setting('max_connections')::int4,
    current_setting('superuser_reserved_connections')::int4
      + coalesce(nullif(current_setting('reserved_connections', true), '')::int4, 0),
    r.rolconnlimit, d.datconnlimit,
    (select count(*) from others)::int4,
    (select count(*) from others where usesysid = r.oid)::int4,
    (select count(*) from others where datid = d.oid)::int4
  from pg_catalog.pg_roles r, pg_catalog.pg_database d
  where r.rolname = session_user and d.datname = current_database()`,
  ['integer[]', 'text[]'],
  ['integer', 'integer', 'integer', 'integer', 'integer', 'integer', 'integer'],
);

const ALIVE = text(
  `select ours.pid, ours.start from ${OURS}
  join (select pid, ${BACKEND_START} as start from pg_catalog.pg_stat_activity) a on a.pid = ours.pid
  where ours.start is null or a.start is null or ours.start = a.start`,
  ['integer[]', 'text[]'],
  ['integer', 'text'],
);

const SESSIONS = text(
  `select pid, ${BACKEND_START}, application_name from pg_catalog.pg_stat_activity
  where left(application_name, length($1)) = $1 and pid <> pg_backend_pid()`,
  ['text'],
  ['integer', 'text', 'text'],
);

const TERMINATE = text(
  `select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity
  where pid = $1::int4 and ${BACKEND_START} = $2 and pid <> pg_backend_pid()`,
  ['integer', 'text'],
  ['boolean'],
);

function identity(pid: Scalar | undefined, start: Scalar | undefined): ServerIdentity {
  return { pid: Number(pid), start: typeof start === 'string' ? start : undefined };
}

function pairs(sessions: readonly ServerIdentity[]): readonly Scalar[] {
  return [sessions.map(({ pid }) => pid), sessions.map(({ start }) => start ?? null)];
}

interface Limit {
  readonly what: string;
  readonly available: number;
  readonly others: number;
}

/** The limit that leaves least room. */
function tightest(row: readonly Scalar[]): ServerLimits {
  const [most, reserved, role, database, others, ofRole, ofDatabase] = row.map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const limits: Limit[] = [
    { what: `max_connections ${most} less ${reserved} reserved`, available: Math.max(0, most - reserved), others },
  ];
  if (role >= 0) limits.push({ what: `the role's connection limit ${role}`, available: role, others: ofRole });
  if (database >= 0)
    limits.push({ what: `the database's connection limit ${database}`, available: database, others: ofDatabase });
  const [first, ...rest] = limits as [Limit, ...Limit[]];
  const found = rest.reduce(
    (best, one) => (one.available - one.others < best.available - best.others ? one : best),
    first,
  );
  return { available: found.available, others: found.others, text: `${found.what}; others hold ${found.others}` };
}

class PostgresMonitor implements ServerMonitor {
  readonly #driver: PostgresDriver;
  readonly #applicationName: string;
  #opening: Promise<DriverConnection> | undefined;
  #closed = false;

  constructor(driver: PostgresDriver, applicationName: string) {
    this.#driver = driver;
    this.#applicationName = applicationName;
  }

  async limits(ours: readonly ServerIdentity[]): Promise<ServerLimits> {
    const [row] = await this.#ask(LIMITS, pairs(ours));
    if (row === undefined) throw new StateError('the server lists neither this role nor this database');
    return tightest(row);
  }

  async alive(sessions: readonly ServerIdentity[]): Promise<readonly ServerIdentity[]> {
    if (sessions.length === 0) return [];
    const rows = await this.#ask(ALIVE, pairs(sessions));
    return rows.map(([pid, start]) => identity(pid, start));
  }

  async sessions(prefix: string): Promise<readonly ListedSession[]> {
    const rows = await this.#ask(SESSIONS, [prefix]);
    return rows.map(([pid, start, name]) => ({ ...identity(pid, start), applicationName: String(name ?? '') }));
  }

  async terminate({ pid, start }: ServerIdentity): Promise<void> {
    if (start === undefined)
      throw new UsageError('a session is ended only by its pid and start together: pids are used again');
    await this.#ask(TERMINATE, [pid, start]);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const opening = this.#opening;
    this.#opening = undefined;
    await opening?.then(
      (connection) => connection.close(),
      () => {},
    );
  }

  async #ask(statement: StatementText, params: readonly Scalar[]): Promise<Scalar[][]> {
    const connection = await this.#connection();
    const rows: Scalar[][] = [];
    const sink = {
      row: (_statement: number, row: Scalar[]): void => {
        rows.push(row);
      },
    };
    await connection.submit([{ text: statement, params }], sink, { signal: AbortSignal.timeout(PATIENCE) });
    return rows;
  }

  /** The one connection; a lost one is opened again by the next question. */
  #connection(): Promise<DriverConnection> {
    if (this.#closed) return Promise.reject(new StateError('the monitor is closed'));
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async #open(): Promise<DriverConnection> {
    try {
      const connection = await this.#driver.connect({ applicationName: this.#applicationName });
      connection.onLost = () => {
        this.#opening = undefined;
      };
      return connection;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }
}

/** A monitor over a driver. Opens nothing until it is first asked. */
export function createPostgresMonitor(driver: PostgresDriver, applicationName = 'athanor monitor'): ServerMonitor {
  return new PostgresMonitor(driver, applicationName);
}
