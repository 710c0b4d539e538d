// Opens connections: socket, TLS, authentication and settings under one deadline. The options live in this closure
// alone, so that neither a driver nor a connection has anything to show.
import type { Driver, DriverConnection } from '../../../driver/driver.ts';
import { type AthanorError, DatabaseError, ServerFullError } from '../../../errors/index.ts';
import { requestCancel } from './cancel-request.ts';
import { PostgresConnection } from './connection.ts';
import { ConnectScope, type ScopeOptions } from './connect-scope.ts';
import {
  placeName,
  type PostgresConnectOptions,
  type PostgresOptions,
  protocolText,
  type ResolvedOptions,
  resolveOptions,
  type TargetSessionAttrs,
} from './options.ts';
import { checkRole } from './server-role.ts';
import { setUpSession } from './session-setup.ts';
import { startSession, startupError } from './startup.ts';
import { StartupFrames } from './startup-frames.ts';
import { isTlsFailure, negotiateTls, PLAIN, type TlsPlan, tlsPlans } from './tls-negotiation.ts';
import { Transport, type TransportTarget } from './transport.ts';
import { tryPlaces } from './try-places.ts';

export interface PostgresDriver extends Driver {
  connect(options?: PostgresConnectOptions): Promise<DriverConnection>;
}

/** One way into one server, under the scope of its deadline. */
export interface Attempt {
  /** For one place. */
  readonly options: ResolvedOptions;
  readonly wanted: TargetSessionAttrs;
  readonly scope: ConnectScope;
  readonly applicationName: string | undefined;
}

/** Where to connect. */
export function targetOf({ host, port, address, lookup, keepAlive }: ResolvedOptions): TransportTarget {
  const path = host.startsWith('/') && address === undefined ? `${host}/.s.PGSQL.${port}` : undefined;
  return { host: address ?? host, port, lookup, path, keepAlive };
}

/** The plan for the cancel requests of a connection: what came about, not what was tried. */
export function settledPlan(plan: TlsPlan, secured: boolean): TlsPlan {
  return secured ? { ...plan, want: 'always', guarded: false } : PLAIN;
}

/** Opens a connection as a plan asks for, or throws one of athanor's errors. */
export type OpenOne = (attempt: Attempt, plan: TlsPlan) => Promise<DriverConnection>;

async function openOne({ options, scope, applicationName }: Attempt, plan: TlsPlan): Promise<PostgresConnection> {
  const target = targetOf(options);
  const transport = new Transport(target);
  scope.holds(transport);
  try {
    await transport.opened();
    const secured = await negotiateTls(transport, options, plan);
    const frames = new StartupFrames(transport);
    const parameters = new Map<string, string>();
    const key = await startSession({ transport, frames, options, secured, applicationName, parameters });
    const { reader } = frames;
    reader.limit = options.maxMessageSize;
    const cancelling = { options, target, key, plan: settledPlan(plan, secured.socket !== undefined) };
    const connection = new PostgresConnection({
      transport,
      reader,
      pid: key.pid,
      statementCacheSize: options.statementCacheSize,
      parameters,
      cancel: () => requestCancel(cancelling),
    });
    connection.accept(frames.rest());
    await setUpSession(connection, options);
    return connection;
  } catch (error) {
    transport.destroy();
    throw startupError(error, options);
  }
}

/** Whether libpq's second way is worth trying: the server or the handshake refused this one, not the network. */
function refusedAsIs(error: AthanorError): boolean {
  if (!(error instanceof DatabaseError) || error instanceof ServerFullError) return false;
  return error.sqlState?.startsWith('28') === true || isTlsFailure(error);
}

/** The connection, unless it leads to another server than the wanted one; then that one is left. */
async function wantedOnly(connection: DriverConnection, { wanted, options }: Attempt): Promise<DriverConnection> {
  try {
    await checkRole(connection, wanted, options);
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}

async function open(attempt: Attempt, openBy: OpenOne): Promise<DriverConnection> {
  const plans = tlsPlans(attempt.options);
  for (let i = 0; ; i++) {
    try {
      return await wantedOnly(await openBy(attempt, plans[i] as TlsPlan), attempt);
    } catch (error) {
      if (i + 1 >= plans.length || !refusedAsIs(error as AthanorError)) throw error;
    }
  }
}

/** Opens a connection to one place within its time. */
async function connectTo(
  attempt: Omit<Attempt, 'scope'>,
  openBy: OpenOne,
  limits: Pick<ScopeOptions, 'timeout' | 'signal'>,
): Promise<DriverConnection> {
  const scope = new ConnectScope({ ...limits, place: placeName(attempt.options) });
  try {
    const opening = open({ ...attempt, scope }, openBy);
    // A connection that comes when nobody waits any more is dropped.
    opening.then(
      (connection) => scope.failure !== undefined && connection.destroy(),
      () => {},
    );
    return await Promise.race([opening, scope.failed]);
  } catch (error) {
    // When time was up the transport broke too; the deadline is the reason, not the break.
    throw scope.failure ?? error;
  } finally {
    scope.close();
  }
}

function connect(openBy: OpenOne, options: ResolvedOptions, given: PostgresConnectOptions): Promise<DriverConnection> {
  const applicationName = given.applicationName ?? options.applicationName;
  if (applicationName !== undefined) protocolText('applicationName', applicationName);
  const { signal } = given;
  const search = { ...options, timeout: given.timeout ?? options.connectTimeout };
  return tryPlaces(search, ({ place, wanted, timeout }) =>
    connectTo({ options: { ...options, ...place }, wanted, applicationName }, openBy, { timeout, signal }),
  );
}

/** A driver for the server `options` name. UsageError if an option is wrong. */
export function createPostgresDriver(options: PostgresOptions): PostgresDriver {
  return driverOver(openOne, options);
}

/** The same, with another way to open a connection: hosts, TLS plans and the deadline are not its concern. */
export function driverOver(openBy: OpenOne, options: PostgresOptions): PostgresDriver {
  const resolved = resolveOptions(options);
  return Object.freeze({
    name: 'postgresql',
    connect: async (given: PostgresConnectOptions = {}) => connect(openBy, resolved, given),
  });
}
