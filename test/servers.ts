// Real PostgreSQL servers for tests: each one temporary, on loopback, gone with the test file that started it even when
// that file is killed.

import pg from 'pg';
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type EmbeddedServer, start, startTemporary } from '../packages/embedded/src/index.ts';

/** What a test may ask of its server. */
export interface PostgresOptions {
  /** `true`: TLS only; `'offered'`: TLS and plain. Default: plain. */
  readonly tls?: boolean | 'offered';
  /** `max_connections`, 3 of which are reserved for the superuser. */
  readonly maxConnections?: number;
  readonly settings?: Readonly<Record<string, string>>;
  /** Lines put before the others of `pg_hba.conf`. */
  readonly accessRules?: readonly string[];
  /** The PostgreSQL major; 18 unless given. */
  readonly version?: number;
}

/** What a test's own role may do. */
export interface RoleOptions {
  readonly connectionLimit?: number;
  /** `md5` or `scram-sha-256`, the default. */
  readonly encryption?: 'md5' | 'scram-sha-256';
}

/** A server that follows another one until it is promoted. */
export interface TestReplica extends TestServer {
  /** Makes it a server of its own; settles when it takes writes. */
  promote(): Promise<void>;
}

/** A server that belongs to one test file. */
export interface TestServer extends AsyncDisposable {
  /** The superuser's URL over TCP; verified in full when the server has TLS. It holds the password. */
  readonly url: string;
  /** The superuser's URL over the Unix socket. */
  readonly socketUrl: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly socketFolder: string;
  readonly certificateFile: string | undefined;
  readonly logFile: string;
  /** The postmaster's process id. */
  readonly pid: number;
  /** One statement as superuser, over a connection of its own. */
  query<Row extends object>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
  /** Client connections the server has now, those of `query` left out. */
  connectionCount(): Promise<number>;
  /** A role without privileges that owns a new database, both of this name. Gives its URL. */
  role(name: string, options?: RoleOptions): Promise<string>;
  /** The server's log so far. */
  log(): string;
  /** `immediate` is as a crash: clients are cut, recovery runs. Same port, same URL. */
  restart(mode?: 'fast' | 'immediate'): Promise<void>;
  stop(): Promise<void>;
}

const ADMIN = 'athanor-test-admin';

function binariesOf(version: number): string {
  const name = `postgres-${version}-${process.platform}-${process.arch}`;
  return fileURLToPath(new URL(`../tools/matrix/node_modules/${name}`, import.meta.url));
}

/** The PostgreSQL majors that are installed; all from 14 to 18 once `scripts/setup/matrix.mjs` has run. */
export function installedVersions(): readonly number[] {
  return [14, 15, 16, 17, 18].filter((version) => version === 18 || existsSync(binariesOf(version)));
}

/** Starts a server for a test file; stop it in `after`. About 0.2 s. */
export async function startPostgres(options: PostgresOptions = {}): Promise<TestServer> {
  const { maxConnections, settings, version = 18, ...rest } = options;
  const limit = maxConnections === undefined ? {} : { max_connections: String(maxConnections) };
  const server = await startTemporary({
    ...rest,
    version,
    ...(version === 18 ? {} : { binaries: binariesOf(version) }),
    settings: { ...limit, ...settings },
  });
  return testServer(server);
}

/**
 * Starts a hot standby that follows a server by streaming, under a name the server can wait for
 * (`synchronous_standby_names`). Stop it in `after`. About a second.
 */
export async function startReplica(
  primary: TestServer,
  { name = 'replica', settings = {} }: { readonly name?: string; readonly settings?: Record<string, string> } = {},
): Promise<TestReplica> {
  const folder = mkdtempSync(join(tmpdir(), 'athanor-replica-'));
  const cluster = join(folder, 'postgres');
  const { host, port, user, password, database } = primary;
  const client = new pg.Client({ host: primary.socketFolder, port, user, password, database });
  await client.connect();
  let label = '';
  try {
    await client.query("select pg_backup_start('replica', true)");
    // With the owners, and sockets, and whatever else a cluster holds.
    spawnSync('cp', ['-a', join(dirname(primary.logFile), 'postgres'), cluster]);
    label =
      (await client.query<{ label: string }>('select labelfile as label from pg_backup_stop(false)')).rows[0]?.label ??
      '';
  } finally {
    await client.end();
  }
  for (const file of readdirSync(join(cluster, 'pg_wal'))) {
    if (/^[0-9A-F]{24}/.test(file)) rmSync(join(cluster, 'pg_wal', file));
  }
  rmSync(join(cluster, 'postmaster.pid'), { force: true });
  const { uid, gid } = statSync(cluster);
  const give = (file: string, text: string): void => {
    appendFileSync(join(cluster, file), text);
    chownSync(join(cluster, file), uid, gid);
  };
  give('backup_label', label);
  give('standby.signal', '');
  const target = `host=${host} port=${port} user=${user} password=${password} application_name=${name} sslmode=disable`;
  give('postgresql.auto.conf', `primary_conninfo = '${target}'\nwal_retrieve_retry_interval = '100ms'\n`);
  const record = { format: 1, port, user, password, database, tls: 'off', settings: {} };
  writeFileSync(join(folder, 'athanor.json'), JSON.stringify(record), { mode: 0o600 });
  const server = await start({ dataFolder: folder, durable: false, idleStop: 0, settings });
  const replica = testServer(server);
  const stop = async (): Promise<void> => {
    await server.stop('immediate');
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  return Object.assign(replica, {
    stop,
    [Symbol.asyncDispose]: stop,
    async promote(): Promise<void> {
      await replica.query('select pg_promote(true, 20)');
    },
  });
}

function testServer(server: EmbeddedServer): TestServer {
  const { socketFolder, port, user, password, database } = server;
  if (socketFolder === undefined || server.socketUrl === undefined) throw new TypeError('Tests need a Unix socket.');

  async function query<Row extends object>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    const admin = { host: socketFolder, port, user, password, database, application_name: ADMIN };
    const client = new pg.Client(admin);
    await client.connect();
    try {
      return (await client.query<Row>(sql, [...parameters])).rows;
    } finally {
      await client.end();
    }
  }

  async function role(name: string, wish: RoleOptions = {}): Promise<string> {
    const limited = wish.connectionLimit === undefined ? '' : ` CONNECTION LIMIT ${wish.connectionLimit}`;
    const encryption = wish.encryption ?? 'scram-sha-256';
    const set = `SET password_encryption = '${encryption}'`;
    await query(`DO $$ BEGIN ${set}; CREATE ROLE "${name}" LOGIN PASSWORD 'secret-of-${name}'${limited}; END $$`);
    await query(`CREATE DATABASE "${name}" OWNER "${name}"`);
    const url = new URL(server.url);
    url.username = name;
    url.password = `secret-of-${name}`;
    url.pathname = `/${name}`;
    return url.href;
  }

  return {
    url: server.url,
    socketUrl: server.socketUrl,
    host: server.host,
    port,
    user,
    password,
    database,
    socketFolder,
    certificateFile: server.certificateFile,
    logFile: server.logFile,
    get pid() {
      return server.pid;
    },
    query,
    async connectionCount() {
      const rows = await query<{ n: number }>(
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> $1`,
        [ADMIN],
      );
      return rows[0]?.n ?? 0;
    },
    role,
    log: () => readFileSync(server.logFile, 'utf8'),
    restart: (mode) => server.restart(mode),
    stop: () => server.stop(),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
