// Opens one connection by a client of node-postgres, with the options, the TLS plans and the refusals of the driver
// beside it, so that a URL means the same with either.
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { AthanorError, AuthenticationError } from '../../../errors/index.ts';
import { requestCancel } from '../driver/cancel-request.ts';
import type { ResolvedOptions } from '../driver/options.ts';
import { type Attempt, settledPlan, targetOf } from '../driver/postgres-driver.ts';
import { setUpSession } from '../driver/session-setup.ts';
import { password, startupError, startupRefusal } from '../driver/startup.ts';
import {
  acceptPlain,
  checkDirect,
  handshakeError,
  refusePlain,
  tlsOptions,
  type TlsPlan,
} from '../driver/tls-negotiation.ts';
import { type Guard, guardReading } from './guard-reading.ts';
import { PgConnection } from './pg-connection.ts';
import { loadPg, type PgClient, type PgModule } from './pg-module.ts';
import { isServerError, serverFields } from './server-fields.ts';
import { type WatchedStartup, watchStartup } from './startup-watch.ts';

/** Milliseconds before the kernel asks a silent peer whether it is still there. */
const KEEP_ALIVE = 30_000;
const NO_TLS = 'The server does not support SSL connections';

function configOf({ options, applicationName }: Attempt, { ssl, plan, host }: Secured): Record<string, unknown> {
  const { keepAlive } = options;
  return {
    host,
    port: options.port,
    user: options.user,
    database: options.database,
    // A function, so that neither client nor environment has one to show or to put in its place.
    password: () => password({ options }),
    application_name: applicationName ?? '',
    ssl,
    sslnegotiation: plan.direct ? 'direct' : 'postgres',
    enableChannelBinding: options.channelBinding !== 'disable',
    keepAlive: keepAlive !== false,
    keepAliveInitialDelayMillis: (keepAlive !== false ? keepAlive?.idle : undefined) ?? KEEP_ALIVE,
  };
}

/** Where to connect, by the caller's own resolver where there is one: node-postgres takes none. */
async function hostOf(options: ResolvedOptions): Promise<string> {
  const { host, address, lookup } = options;
  if (address !== undefined || lookup === undefined || isIP(host) !== 0 || host.startsWith('/')) return address ?? host;
  return new Promise((resolve, reject) => {
    lookup(host, { family: 0 }, (error, found) => {
      const [first] = Array.isArray(found) ? found : [{ address: found }];
      if (error === null && first !== undefined) resolve(first.address);
      else reject(startupError(error, options));
    });
  });
}

/** Why a client could not connect, in the words of the other driver. */
function connectError(cause: unknown, options: ResolvedOptions, seen: WatchedStartup): AthanorError {
  if (seen.refusal !== undefined) return seen.refusal;
  if (isServerError(cause)) return startupRefusal(serverFields(cause));
  if (seen.tls && !seen.answered) return handshakeError(cause, options);
  if (cause instanceof Error && cause.message.startsWith('SASL: '))
    return new AuthenticationError('SCRAM failed: the server did not prove that it knows the password', {
      cause,
      outcome: 'not-sent',
    });
  return startupError(cause, options);
}

async function connected(client: PgClient, tls: boolean, guard: Guard): Promise<void> {
  client.connection.on('sslconnect', () => guardReading(client.connection, guard));
  const connecting = client.connect();
  if (!tls) guardReading(client.connection, guard);
  await connecting;
}

interface Secured {
  readonly pg: PgModule;
  readonly host: string;
  readonly ssl: ConnectionOptions | false;
  readonly plan: TlsPlan;
}

async function openAs(attempt: Attempt, secured: Secured): Promise<PgConnection> {
  const { options, scope } = attempt;
  const { pg, ssl, plan } = secured;
  const client = new pg.Client(configOf(attempt, secured));
  const { connection: wire } = client;
  const startup = client.getStartupConf.bind(client);
  client.getStartupConf = () => {
    // `options` come from the environment and are already among the settings; a pooler would refuse them.
    const { options: _, ...parameters } = startup();
    return { ...parameters, DateStyle: 'ISO' };
  };
  let connection: PgConnection | undefined;
  let failure: AthanorError | undefined;
  client.on('error', () => {});
  scope.holds({ destroy: () => wire.stream.destroy() });
  const seen = watchStartup(wire, { options, verify: ssl !== false && ssl.rejectUnauthorized === true });
  try {
    await connected(client, ssl !== false, {
      most: options.maxMessageSize,
      broken: (error) => {
        failure ??= error;
        if (connection === undefined) wire.stream.destroy();
        else connection.broken(error);
      },
    });
    if (plan.direct) checkDirect(wire.stream, options);
    const { processID: pid, secretKey } = client;
    const secret = Buffer.alloc(4);
    secret.writeInt32BE(secretKey ?? 0);
    const cancelling = {
      options,
      target: targetOf(options),
      key: { pid: pid ?? 0, secret },
      plan: settledPlan(plan, ssl !== false),
    };
    connection = new PgConnection({
      client,
      parameters: seen.parameters,
      statementCacheSize: options.statementCacheSize,
      cancel: () => requestCancel(cancelling),
    });
    await setUpSession(connection, options);
    return connection;
  } catch (error) {
    wire.stream.destroy();
    throw connectError(failure ?? error, options, seen);
  }
}

/** Opens a connection as `plan` asks for. */
export async function openPgConnection(attempt: Attempt, plan: TlsPlan): Promise<PgConnection> {
  const pg = await loadPg();
  const { options } = attempt;
  const host = await hostOf(options);
  if (plan.want === 'never') {
    acceptPlain(options);
    return openAs(attempt, { pg, host, ssl: false, plan });
  }
  const ssl = await tlsOptions(options, plan);
  try {
    return await openAs(attempt, { pg, host, ssl, plan });
  } catch (error) {
    if (!(error instanceof Error && error.cause instanceof Error && error.cause.message === NO_TLS)) throw error;
    refusePlain(options, plan);
    return openAs(attempt, { pg, host, ssl: false, plan });
  }
}
