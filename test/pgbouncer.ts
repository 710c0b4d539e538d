// A PgBouncer before a test's server, on loopback, in transaction mode; gone with the test file that started it even
// when that file is killed.
import pg from 'pg';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findPgBouncer } from '../scripts/setup/pgbouncer.mjs';
import type { TestServer } from './servers.ts';

export interface PgBouncerOptions {
  /** Server connections per role and database. Default 5. */
  readonly poolSize?: number;
  /** Default `transaction`. */
  readonly mode?: 'transaction' | 'session';
  /** Lines for its file, by name. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface PgBouncer extends AsyncDisposable {
  /** The server's superuser, through the pooler. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** A URL of the server, led through the pooler. */
  through(url: string): string;
  /** A statement of the admin console: `SHOW POOLS`, `PAUSE`, `RESUME`, `KILL`... */
  admin<Row extends object>(sql: string): Promise<Row[]>;
  /** Its log so far. */
  log(): string;
  stop(): Promise<void>;
}

/** Why there is no PgBouncer here, or undefined. */
export const noPgBouncer: string | undefined =
  findPgBouncer() === undefined ? 'PgBouncer is neither installed nor to be had by apt here' : undefined;

/** Its own user where tests run as root: it refuses to. */
const NOBODY = 65534;
const STARTUP = 5000;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function configuration(server: TestServer, folder: string, options: PgBouncerOptions & { port: number }): string {
  const settings = {
    listen_addr: '127.0.0.1',
    listen_port: options.port,
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: join(folder, 'users.txt'),
    // Roles that a test makes are asked for.
    auth_user: server.user,
    auth_query: 'SELECT usename, passwd FROM pg_shadow WHERE usename = $1',
    admin_users: server.user,
    pool_mode: options.mode ?? 'transaction',
    default_pool_size: options.poolSize ?? 5,
    max_client_conn: 500,
    logfile: join(folder, 'pgbouncer.log'),
    ...options.settings,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  return `[databases]\n* = host=127.0.0.1 port=${server.port}\n[pgbouncer]\n${lines.join('\n')}\n`;
}

/** Starts a pooler before `server`, which must take connections without TLS. About 0.1 s. */
export async function startPgBouncer(server: TestServer, options: PgBouncerOptions = {}): Promise<PgBouncer> {
  const program = findPgBouncer();
  if (program === undefined) throw new TypeError(noPgBouncer);
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'athanor-pgbouncer-'));
  const file = join(folder, 'pgbouncer.ini');
  writeFileSync(file, configuration(server, folder, { ...options, port }));
  writeFileSync(join(folder, 'users.txt'), `"${server.user}" "${server.password}"\n`);
  const root = process.getuid?.() === 0;
  if (root) {
    for (const one of [folder, file, join(folder, 'users.txt')]) chownSync(one, NOBODY, NOBODY);
    chmodSync(folder, 0o700);
  }
  // The shell ends it when our end of its input is closed, however that comes about.
  const child = spawn('/bin/sh', ['-c', '"$0" -q "$1" & cat >/dev/null; kill -INT $!; wait $!', program.file, file], {
    stdio: ['pipe', 'ignore', 'inherit'],
    env: { ...process.env, ...(program.libraries === undefined ? {} : { LD_LIBRARY_PATH: program.libraries }) },
    ...(root ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  const ended = once(child, 'exit');
  const host = '127.0.0.1';

  function through(url: string): string {
    const led = new URL(url);
    led.hostname = host;
    led.port = String(port);
    led.search = '';
    return led.href;
  }

  async function admin<Row extends object>(sql: string): Promise<Row[]> {
    const { user, password } = server;
    const client = new pg.Client({ host, port, user, password, database: 'pgbouncer' });
    client.on('error', () => {});
    await client.connect();
    try {
      return (await client.query<Row>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  const log = (): string => readFileSync(join(folder, 'pgbouncer.log'), 'utf8');

  async function stop(): Promise<void> {
    child.stdin.end();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }

  const deadline = performance.now() + STARTUP;
  for (;;) {
    try {
      await admin('SHOW VERSION');
      break;
    } catch (error) {
      if (performance.now() < deadline && child.exitCode === null) {
        await sleep(10);
        continue;
      }
      await stop();
      throw error;
    }
  }
  return { url: through(server.url), host, port, through, admin, log, stop, [Symbol.asyncDispose]: stop };
}
