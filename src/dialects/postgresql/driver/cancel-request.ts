// CancelRequest: a connection of its own that only says which session to interrupt. The server closes it once the
// signal is on its way, and not before; that close is what to wait for.
import { ConnectError } from '../../../errors/index.ts';
import { ConnectScope } from './connect-scope.ts';
import { placeName, type ResolvedOptions } from './options.ts';
import type { BackendKey } from './startup.ts';
import { negotiateTls, type TlsPlan } from './tls-negotiation.ts';
import { Transport, type TransportTarget } from './transport.ts';

const CANCEL_CODE = 80877102;

export interface CancelTarget {
  readonly options: ResolvedOptions;
  readonly target: TransportTarget;
  /** As the connection itself was secured. */
  readonly plan: TlsPlan;
  readonly key: BackendKey;
}

function message({ pid, secret }: BackendKey): Buffer {
  const bytes = Buffer.alloc(12 + secret.length);
  bytes.writeInt32BE(bytes.length, 0);
  bytes.writeInt32BE(CANCEL_CODE, 4);
  bytes.writeInt32BE(pid, 8);
  secret.copy(bytes, 12);
  return bytes;
}

async function deliver({ options, target, plan, key }: CancelTarget, scope: ConnectScope): Promise<void> {
  const transport = new Transport(target);
  scope.holds(transport);
  try {
    await transport.opened();
    await negotiateTls(transport, options, plan);
    await new Promise<void>((resolve) => {
      transport.onEnd = () => resolve();
      transport.onData = () => {};
      transport.write(message(key));
    });
  } catch (cause) {
    throw new ConnectError('the cancel request could not be delivered', { cause });
  } finally {
    transport.destroy();
  }
}

/** Asks the server to interrupt the session. Settles when it has taken the request. */
export async function requestCancel(cancel: CancelTarget): Promise<void> {
  const { options } = cancel;
  const scope = new ConnectScope({ timeout: options.connectTimeout, signal: undefined, place: placeName(options) });
  try {
    await Promise.race([deliver(cancel, scope), scope.failed]);
    if (scope.failure !== undefined) throw scope.failure;
  } finally {
    scope.close();
  }
}
