// Whether and how a connection is encrypted: the policy for each sslmode, the one-byte question to the server, and
// the handshake. Verified TLS is the rule; each way around it is spelled out here and nowhere else.
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { checkServerIdentity, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { ConnectError } from '../../../errors/index.ts';
import { isLoopback, isPrivate } from '../hosts.ts';
import type { ResolvedOptions } from './options.ts';
import { serverName, type Transport } from './transport.ts';

/** One way to try a connection. */
export interface TlsPlan {
  /** `offered`: take it if the server has it. */
  readonly want: 'never' | 'offered' | 'always';
  readonly verify: 'none' | 'chain' | 'full';
  /** No sslmode was given: without TLS only near hosts are accepted. */
  readonly guarded: boolean;
}

/** What became of it. */
export interface Secured {
  readonly socket: TLSSocket | undefined;
  /** The server's identity was checked. */
  readonly verified: boolean;
}

const NONE: TlsPlan = { want: 'never', verify: 'none', guarded: false };
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const YES = 0x53;
const NO = 0x4e;

/** The ways to try, in order: later ones only where libpq's mode allows a second. */
export function tlsPlans({ sslMode, sslRootCert, host }: ResolvedOptions): readonly TlsPlan[] {
  if (host.startsWith('/')) return [NONE];
  switch (sslMode) {
    case undefined:
      return [{ want: 'offered', verify: 'full', guarded: true }];
    case 'disable':
      return [NONE];
    case 'allow':
      return [NONE, { want: 'always', verify: 'none', guarded: false }];
    case 'prefer':
      return [{ want: 'offered', verify: 'none', guarded: false }, NONE];
    case 'require':
      return [{ want: 'always', verify: sslRootCert === undefined ? 'none' : 'chain', guarded: false }];
    case 'verify-ca':
      return [{ want: 'always', verify: 'chain', guarded: false }];
    case 'verify-full':
      return [{ want: 'always', verify: 'full', guarded: false }];
  }
}

async function readPem(what: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new ConnectError(`cannot read ${what} '${path}'`, { cause, outcome: 'not-sent' });
  }
}

/** The certificates to trust: those named, else libpq's file where it exists, else Node's own. */
async function trusted(options: ResolvedOptions): Promise<string | undefined> {
  if (options.sslRootCert === 'system') return undefined;
  if (options.sslRootCert !== undefined) return readPem('sslrootcert', options.sslRootCert);
  try {
    return await readFile(join(homedir(), '.postgresql', 'root.crt'), 'utf8');
  } catch {
    // There need not be one.
    return undefined;
  }
}

/** A plan as TLS takes it. */
export async function tlsOptions(options: ResolvedOptions, plan: TlsPlan): Promise<ConnectionOptions> {
  const { host, sslCert, sslKey } = options;
  const ca = plan.verify === 'none' ? undefined : await trusted(options);
  const servername = serverName(host);
  return {
    host,
    minVersion: 'TLSv1.2',
    rejectUnauthorized: plan.verify !== 'none',
    checkServerIdentity: (_name, certificate) =>
      plan.verify === 'full' ? checkServerIdentity(host, certificate) : undefined,
    ...(servername === undefined ? {} : { servername }),
    ...(ca === undefined ? {} : { ca }),
    ...(sslCert === undefined ? {} : { cert: await readPem('sslcert', sslCert) }),
    ...(sslKey === undefined ? {} : { key: await readPem('sslkey', sslKey) }),
  };
}

/** Asks the server whether it has TLS. */
function ask(transport: Transport): Promise<boolean> {
  return new Promise((resolve, reject) => {
    transport.onEnd = (error) =>
      reject(
        error ??
          new ConnectError('the server closed the connection when it was asked for TLS', { outcome: 'not-sent' }),
      );
    transport.onData = (bytes, length) => {
      transport.onData = () => {};
      // More than the one byte before TLS has begun was put there by somebody in between.
      if (length !== 1)
        reject(
          new ConnectError('the server sent data before TLS began: the connection is not trustworthy', {
            outcome: 'not-sent',
          }),
        );
      else if (bytes[0] === YES || bytes[0] === NO) resolve(bytes[0] === YES);
      else reject(new ConnectError('the server does not answer as PostgreSQL does', { outcome: 'not-sent' }));
    };
    transport.write(SSL_REQUEST);
  });
}

/** Throws where a server without TLS is not good enough. */
export function refusePlain(options: ResolvedOptions, plan: TlsPlan): void {
  const place = `${options.host}:${options.port}`;
  if (plan.want === 'always') {
    throw new ConnectError(`the server at ${place} offers no TLS and sslmode '${options.sslMode}' asks for it`, {
      outcome: 'not-sent',
    });
  }
  if (!plan.guarded || isLoopback(options.host)) return;
  if (!isPrivate(options.host)) {
    const url = `postgresql://${encodeURIComponent(options.user)}@${place}/${encodeURIComponent(options.database)}?sslmode=disable`;
    throw new ConnectError(`the server at ${place} offers no TLS, and it is not a private host`, {
      hint: `Turn TLS on there. If plain text is what you want, say so: ${url}`,
      outcome: 'not-sent',
    });
  }
  warnOnce(place);
}

const warned = new Set<string>();

function warnOnce(place: string): void {
  if (warned.has(place)) return;
  warned.add(place);
  process.emitWarning(`the server at ${place} offers no TLS: what passes can be read and changed on the way`, {
    code: 'ATH_NO_TLS',
  });
}

/** A handshake that failed, in words that name the cure. */
export function handshakeError(cause: unknown, { host, port }: ResolvedOptions): ConnectError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ConnectError(`TLS with ${host}:${port} failed: ${reason}`, {
    hint: 'Give the certificate to trust as sslrootcert=PATH, or say sslmode=require to encrypt without checking who answers.',
    outcome: 'not-sent',
    cause,
  });
}

/** Brings the transport to the state the plan asks for, or throws. */
export async function negotiateTls(transport: Transport, options: ResolvedOptions, plan: TlsPlan): Promise<Secured> {
  const plain: Secured = { socket: undefined, verified: false };
  if (plan.want === 'never') return plain;
  if (!(await ask(transport))) {
    refusePlain(options, plan);
    return plain;
  }
  const settings = await tlsOptions(options, plan);
  try {
    return { socket: await transport.secure(settings), verified: plan.verify !== 'none' };
  } catch (error) {
    throw error instanceof ConnectError ? error : handshakeError(error, options);
  }
}
