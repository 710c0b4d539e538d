// The server the programme runs on: an embedded PostgreSQL of its own, or the one the user names. Either way there are
// two ways in, one for the programme and one for whoever watches it, so that watching is never counted.
import { randomBytes } from 'node:crypto';
import { type EmbeddedServer, startTemporary } from '@athanor/embedded';
import pg from 'pg';
import { type Options, WrongUse } from './options.ts';
import { LOG_SETTINGS } from './server-log.ts';

/** Where the programme works. */
export interface Server {
  /** For the programme. */
  readonly url: string;
  /** The programme's role. */
  readonly role: string;
  /** A connection of the observer's, by another driver than the one observed. */
  readonly observer: pg.Client;
  /** In a few words, for the screen. */
  readonly title: string;
  /** The server's log, where it can be read. */
  readonly logFile: string | undefined;
  stop(): Promise<void>;
}

export const ROLE = 'founding';
const TABLES = ['founding_dummies', 'founding_counters', 'founding_versioned_counters'];

/** Starts the embedded server, or connects to the one that DATABASE_URL names. */
export function openServer(options: Options, signal: AbortSignal): Promise<Server> {
  return options.databaseUrl === undefined
    ? startOwn({ tls: options.tls, settings: { max_connections: '100' }, role: ROLE }, signal)
    : joinTheirs(options.databaseUrl);
}

export interface OwnServer {
  readonly tls: boolean;
  readonly settings: Readonly<Record<string, string>>;
  readonly role: string;
}

/** Starts an embedded server with a role for the programme. It keeps a log that tells every connection. */
export async function startOwn(wish: OwnServer, signal: AbortSignal): Promise<Server> {
  const server = await startTemporary({ tls: wish.tls, settings: { ...LOG_SETTINGS, ...wish.settings }, signal });
  try {
    const observer = await connect(server.url);
    const password = randomBytes(18).toString('base64url');
    await observer.query(`create role ${wish.role} login password '${password}'`);
    await observer.query(`create schema authorization ${wish.role}`);
    await observer.query(`set search_path to ${wish.role}`);
    const url = new URL(server.url);
    url.username = wish.role;
    url.password = password;
    return {
      url: url.href,
      role: wish.role,
      observer,
      title: await titleOf(observer),
      logFile: server.logFile,
      stop: () => stopOwn(server, observer),
    };
  } catch (error) {
    await server.stop('immediate');
    throw error;
  }
}

async function stopOwn(server: EmbeddedServer, observer: pg.Client): Promise<void> {
  await observer.end().catch(() => undefined);
  await server.stop();
}

async function joinTheirs(url: string): Promise<Server> {
  const observer = await connect(url).catch((error: unknown) => {
    throw new WrongUse(`cannot connect to the server of DATABASE_URL: ${reason(error)}`);
  });
  const { rows } = await observer.query<{ role: string; tables: string[] }>(
    `select current_user::text as role, array(select name from unnest($1::text[]) name where to_regclass(name) is not null) as tables`,
    [TABLES],
  );
  const { role, tables } = rows[0] ?? { role: '', tables: [] };
  if (tables.length > 0) {
    await observer.end();
    throw new WrongUse(`the database of DATABASE_URL already has ${tables.join(', ')}; drop them first`);
  }
  return {
    url,
    role,
    observer,
    title: await titleOf(observer),
    logFile: undefined,
    stop: async () => {
      await observer.query(`drop table if exists ${TABLES.join(', ')}`).catch(() => undefined);
      await observer.end();
    },
  };
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    application_name: 'founding-observer',
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function titleOf(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ version: string; tls: string | null }>(
    `select current_setting('server_version') as version, (select version from pg_stat_ssl where pid = pg_backend_pid()) as tls`,
  );
  const { version = '', tls = null } = rows[0] ?? {};
  return `PostgreSQL ${version.split(' ')[0]}, ${tls === null ? 'no TLS' : tls.replace('v', ' ')}`;
}

/** Why a connection failed, in words that hold no secret. */
function reason(error: unknown): string {
  if (error instanceof AggregateError) return reason(error.errors[0]);
  return error instanceof Error ? error.message : 'unknown reason';
}
