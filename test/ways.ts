// The ways to a PostgreSQL server: over which transport, through which driver, to which major. The same suites run on
// each; ATHANOR_TEST_WAY and ATHANOR_TEST_PG choose the one that the integration tests take.
import { createPostgresDriver, type PostgresDriver } from '../src/dialects/postgresql/driver/index.ts';
import type { PostgresOptions as DriverOptions } from '../src/dialects/postgresql/driver/options.ts';
import { createPgDriver } from '../src/dialects/postgresql/pg-adapter/index.ts';
import { parsePostgresUrl } from '../src/dialects/postgresql/url.ts';
import { noPgBouncer, type PgBouncer, startPgBouncer } from './pgbouncer.ts';
import { installedVersions, type PostgresOptions, startPostgres, type TestServer } from './servers.ts';

const TRANSPORTS = ['tcp', 'tls', 'socket', 'pgbouncer'] as const;
const DRIVERS = ['own', 'pg'] as const;

export interface Way {
  readonly transport: (typeof TRANSPORTS)[number];
  readonly driver: (typeof DRIVERS)[number];
  readonly version: number;
}

/** An open way. */
export interface Reached extends AsyncDisposable {
  readonly server: TestServer;
  readonly bouncer: PgBouncer | undefined;
  /** The superuser's URL on this way, for the driver of athanor itself. */
  readonly url: string;
  /** The same for `createEngine`, the way's driver named in it. */
  readonly engineUrl: string;
  driver(options?: Partial<DriverOptions>): PostgresDriver;
  stop(): Promise<void>;
}

/** `tls`, `pgbouncer+pg`...: the transport, and behind a plus the driver where it is not athanor's own. */
export function readWay(text: string, version: number): Way {
  const [transport = '', driver = 'own'] = text.split('+');
  const way = {
    transport: TRANSPORTS.find((one) => one === transport),
    driver: DRIVERS.find((one) => one === driver),
    version,
  };
  if (way.transport === undefined || way.driver === undefined)
    throw new TypeError(`ATHANOR_TEST_WAY is one of ${TRANSPORTS.join(', ')}, each also with +pg behind it.`);
  return way as Way;
}

/** The way chosen for this run; TCP, athanor's own driver and PostgreSQL 18 unless told. */
export const chosenWay: Way = readWay(
  process.env['ATHANOR_TEST_WAY'] ?? 'tcp',
  Number(process.env['ATHANOR_TEST_PG'] ?? 18),
);

export function wayText({ transport, driver, version }: Way): string {
  const names = { tcp: 'TCP', tls: 'TLS', socket: 'a Unix socket', pgbouncer: 'PgBouncer' };
  return `${driver === 'own' ? "athanor's driver" : 'the pg adapter'} over ${names[transport]}, PostgreSQL ${version}`;
}

/** Why a way is not to be had on this machine, or false. */
export function absent({ transport, version }: Way): string | false {
  if (!installedVersions().includes(version))
    return `PostgreSQL ${version} is not installed: node scripts/setup/matrix.mjs`;
  return transport === 'pgbouncer' && noPgBouncer !== undefined ? noPgBouncer : false;
}

function urlOf(way: Way, server: TestServer, bouncer: PgBouncer | undefined): string {
  if (bouncer !== undefined) return bouncer.url;
  return way.transport === 'socket' ? server.socketUrl : server.url;
}

/** How a way's driver is made. */
export function makeDriver({ driver }: Way): (options: DriverOptions) => PostgresDriver {
  return driver === 'own' ? createPostgresDriver : createPgDriver;
}

/** A server's URL for `createEngine`, with the driver of the chosen way. */
export function engineUrl(url: string, { driver }: Way = chosenWay): string {
  return driver === 'own' ? url : url.replace(/^postgresql:/, 'postgresql+pg:');
}

/** For tests that need a server session of their own: why there is none on the chosen way, or false. */
export const pooled: string | false =
  chosenWay.transport === 'pgbouncer' && 'a transaction pooler lends another server session to each transaction';

/** Starts a server and what stands before it. */
export async function reach(way: Way, options: Omit<PostgresOptions, 'tls' | 'version'> = {}): Promise<Reached> {
  const { transport, version } = way;
  const server = await startPostgres({ ...options, version, ...(transport === 'tls' ? { tls: true } : {}) });
  const bouncer = transport === 'pgbouncer' ? await startPgBouncer(server, { poolSize: 10 }) : undefined;
  const url = urlOf(way, server, bouncer);
  const make = makeDriver(way);
  const stop = async (): Promise<void> => {
    await bouncer?.stop();
    await server.stop();
  };
  return {
    server,
    bouncer,
    url,
    engineUrl: engineUrl(url, way),
    driver: (extra = {}) => make({ ...parsePostgresUrl(url, {}), ...extra }),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
