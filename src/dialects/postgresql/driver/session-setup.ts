// What is said to a new session before it is handed out, all in one trip: settings, each tolerated on its own so that
// a server that refuses one does not cost the connection, and the question when the server process started. Through a
// pooler nothing is set: the server session belongs to others as well.
import type { DriverConnection, DriverStatement, Scalar, ServerIdentity, Sink } from '../../../driver/driver.ts';
import { ConnectError, DatabaseError } from '../../../errors/index.ts';
import type { ResolvedOptions } from './options.ts';
import { refuseSetting } from '../pooler-refusal.ts';
import { passesNamesOn, warnUnset } from './pooler.ts';

/** Ours, unless the caller set them: a dead client's work ends, and a forgotten transaction does not stay for ever. */
const DEFAULTS: Readonly<Record<string, string>> = {
  client_connection_check_interval: '2s',
  idle_in_transaction_session_timeout: '60s',
};

/** A server process's start as text that does not depend on any setting. Compare it only with itself. */
export const BACKEND_START = `to_char(backend_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

/** A connection whose identity is still to be asked for. */
export interface NewConnection extends DriverConnection {
  identify(identity: ServerIdentity, version: string | undefined): void;
  /** Statements get no names from now on, and those they have are forgotten. */
  withoutNames(): void;
  /** The session is given away after each transaction. */
  pooled: boolean;
}

const silent: Sink = { row: () => {} };

/** Set only in the very process that was promised. */
function setting(name: string, value: string, pid: number): DriverStatement {
  const text = {
    sql: 'select pg_catalog.set_config($1, $2, false) where $3::int4 in (0, pg_catalog.pg_backend_pid())',
    params: ['text', 'text', 'integer'],
    results: undefined,
    prepare: false,
  } as const;
  return { text, params: [name, value, pid] };
}

const whoAmI: DriverStatement = {
  text: {
    sql: `select pg_backend_pid(), (select ${BACKEND_START} from pg_catalog.pg_stat_activity where pid = pg_backend_pid()), pg_catalog.current_setting('server_version')`,
    params: [],
    results: ['integer', 'text', 'text'],
    prepare: false,
  },
  params: [],
};

/** Whether a pooler answers. */
async function askIdentity(connection: NewConnection): Promise<boolean> {
  let row: Scalar[] = [];
  try {
    await connection.submit([whoAmI], {
      row: (_statement, values) => {
        row = values;
      },
    });
  } catch (error) {
    // A server that does not show it (or is none of PostgreSQL's own) is served all the same.
    if (connection.status !== 'closed') return false;
    throw error;
  }
  const [pid, start, version] = row;
  if (typeof pid !== 'number') return false;
  const promised = connection.identity.pid;
  const identity = {
    pid: promised === 0 ? pid : promised,
    start: typeof start === 'string' ? start : undefined,
  };
  connection.identify(identity, typeof version === 'string' ? version : undefined);
  return identity.pid !== pid;
}

async function set(
  connection: NewConnection,
  [name, value]: readonly [string, string],
  { given, pid }: { readonly given: boolean; readonly pid: number },
): Promise<void> {
  try {
    await connection.submit([setting(name, value, pid)], silent);
  } catch (error) {
    if (connection.status === 'closed') throw error;
    if (!given) return;
    const sqlState = error instanceof DatabaseError ? error.sqlState : undefined;
    throw new ConnectError(`the server refused the setting '${name}'`, { cause: error, sqlState, outcome: 'not-sent' });
  }
}

/** Behind a pooler: names only where it keeps them apart, and nothing is left in the session. */
async function enterPool(connection: NewConnection): Promise<void> {
  connection.pooled = true;
  if (await passesNamesOn(connection)) connection.withoutNames();
}

/** A pooler that was announced: only settings that it keeps for each client are made. */
async function setUpPooled(connection: NewConnection, settings: readonly (readonly [string, string])[]): Promise<void> {
  for (const [name] of settings) refuseSetting(name);
  const anywhere = { given: true, pid: 0 };
  await Promise.all([askIdentity(connection), ...settings.map((entry) => set(connection, entry, anywhere))]);
  await enterPool(connection);
}

/**
 * Sets the session up. Rejects with ConnectError if a setting the caller gave is refused, with UnsupportedError if
 * `pooler: 'transaction'` was given and could not keep it.
 */
export async function setUpSession(connection: NewConnection, { settings, pooler }: ResolvedOptions): Promise<void> {
  const given = Object.entries(settings);
  if (pooler === 'transaction') return setUpPooled(connection, given);
  const ours = Object.entries(DEFAULTS).filter(([name]) => !(name in settings));
  // Behind one that keeps the session together, whichever process it promised.
  const pid = pooler === 'session' ? 0 : connection.identity.pid;
  const [pooled] = await Promise.all([
    askIdentity(connection),
    ...ours.map((entry) => set(connection, entry, { given: false, pid })),
    ...given.map((entry) => set(connection, entry, { given: true, pid })),
  ]);
  if (!pooled || pooler === 'session') return;
  warnUnset(given.map(([name]) => name));
  await enterPool(connection);
}
