// The real connection code over a link in memory: what the driver does from an open socket on, with all of its parts.
import { PostgresConnection } from '../../src/dialects/postgresql/driver/connection.ts';
import { type PostgresOptions, resolveOptions } from '../../src/dialects/postgresql/driver/options.ts';
import { setUpSession } from '../../src/dialects/postgresql/driver/session-setup.ts';
import { startSession, startupError } from '../../src/dialects/postgresql/driver/startup.ts';
import { StartupFrames } from '../../src/dialects/postgresql/driver/startup-frames.ts';
import { negotiateTls, PLAIN, tlsPlans } from '../../src/dialects/postgresql/driver/tls-negotiation.ts';
import { FrameReader } from '../../src/dialects/postgresql/wire/frame-reader.ts';
import type { MemoryTransport } from './link.ts';

export interface ClientOptions {
  readonly transport: MemoryTransport;
  readonly limit: number;
  readonly cacheSize: number;
  readonly cancel: () => Promise<void>;
}

/** A session that is past its startup. */
export function started({ transport, limit, cacheSize, cancel }: ClientOptions): PostgresConnection {
  const reader = new FrameReader(limit, () => {});
  return new PostgresConnection({
    transport: transport.asTransport,
    reader,
    pid: 4242,
    parameters: new Map(),
    statementCacheSize: cacheSize,
    cancel,
  });
}

/** A session from its very beginning. */
export async function startUp(client: ClientOptions, settings: PostgresOptions): Promise<PostgresConnection> {
  const options = resolveOptions(settings);
  const transport = client.transport.asTransport;
  try {
    const secured = await negotiateTls(transport, options, tlsPlans(options)[0] ?? PLAIN);
    const frames = new StartupFrames(transport);
    const parameters = new Map<string, string>();
    const key = await startSession({ transport, frames, options, secured, applicationName: 'fuzz', parameters });
    const { reader } = frames;
    reader.limit = client.limit;
    const connection = new PostgresConnection({
      transport,
      reader,
      pid: key.pid,
      parameters,
      statementCacheSize: client.cacheSize,
      cancel: client.cancel,
    });
    connection.accept(frames.rest());
    await setUpSession(connection, options);
    return connection;
  } catch (error) {
    client.transport.destroy();
    throw startupError(error, options);
  }
}
