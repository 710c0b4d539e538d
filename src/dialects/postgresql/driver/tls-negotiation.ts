// Whether and how a connection is encrypted: the policy for each sslmode, the one-byte question to the server, and
// the handshake. Verified TLS is the rule; each way around it is spelled out here and nowhere else.
import { checkServerIdentity, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { ConnectError } from '../../../errors/index.ts';
import { isLoopback, isPrivate } from '../hosts.ts';
import { warnPlain, warnUnverified } from '../tls-warnings.ts';
import type { ResolvedOptions } from './options.ts';
import { clientCertificate, hasRootCertificate, trustedCertificates } from '../certificate-files.ts';
import { serverName, type Transport } from './transport.ts';

/** One way to try a connection. */
export interface TlsPlan {
  /** `offered`: take it if the server has it. */
  readonly want: 'never' | 'offered' | 'always';
  /** `chain-if-known`: where there are certificates to trust. */
  readonly verify: 'none' | 'chain-if-known' | 'chain' | 'full';
  /** TLS begins at once; the server is not asked. */
  readonly direct: boolean;
  /** No sslmode was given: without TLS only near hosts are accepted. */
  readonly guarded: boolean;
}

/** What became of it. */
export interface Secured {
  readonly socket: TLSSocket | undefined;
  /** The server's identity was checked. */
  readonly verified: boolean;
}

/** No TLS. */
export const PLAIN: TlsPlan = { want: 'never', verify: 'none', direct: false, guarded: false };
/** The protocol's name in the handshake. */
const ALPN = 'postgresql';
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const YES = 0x53;
const NO = 0x4e;

/** The ways to try, in order: later ones only where libpq's mode allows a second. */
export function tlsPlans({ sslMode, sslRootCert, sslNegotiation, host }: ResolvedOptions): readonly TlsPlan[] {
  if (host.startsWith('/')) return [PLAIN];
  const direct = sslNegotiation === 'direct';
  const always = { want: 'always', direct, guarded: false } as const;
  switch (sslMode) {
    case undefined:
      // Both say that there is TLS to be had.
      if (direct || sslRootCert === 'system') return [{ ...always, verify: 'full' }];
      return [{ want: 'offered', verify: 'full', direct, guarded: true }];
    case 'disable':
      return [PLAIN];
    case 'allow':
      return [PLAIN, { ...always, verify: 'none' }];
    case 'prefer':
      return [{ want: 'offered', verify: 'none', direct, guarded: false }, PLAIN];
    case 'require':
      return [{ ...always, verify: 'chain-if-known' }];
    case 'verify-ca':
      return [{ ...always, verify: 'chain' }];
    case 'verify-full':
      return [{ ...always, verify: 'full' }];
  }
}

const failures = new WeakSet<object>();

/** Whether TLS could not be had as it was asked for: nothing another try with the same server would change. */
export function isTlsFailure(error: unknown): boolean {
  return typeof error === 'object' && error !== null && failures.has(error);
}

function failed(error: ConnectError): ConnectError {
  failures.add(error);
  return error;
}

/** A plan as TLS takes it. */
export async function tlsOptions(options: ResolvedOptions, plan: TlsPlan): Promise<ConnectionOptions> {
  try {
    return await readTlsOptions(options, plan);
  } catch (error) {
    throw error instanceof ConnectError ? failed(error) : error;
  }
}

async function readTlsOptions(options: ResolvedOptions, plan: TlsPlan): Promise<ConnectionOptions> {
  const { host } = options;
  const checked = plan.verify !== 'none' && (plan.verify !== 'chain-if-known' || (await hasRootCertificate(options)));
  if (!checked && plan.verify === 'chain-if-known') warnUnverified(options);
  const ca = checked ? await trustedCertificates(options) : undefined;
  const servername = serverName(host);
  return {
    host,
    minVersion: 'TLSv1.2',
    rejectUnauthorized: checked,
    checkServerIdentity: (_name, certificate) =>
      plan.verify === 'full' ? checkServerIdentity(host, certificate) : undefined,
    ...(servername === undefined ? {} : { servername }),
    ...(ca === undefined ? {} : { ca }),
    ...(plan.direct ? { ALPNProtocols: [ALPN] } : {}),
    ...(await clientCertificate(options)),
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
    throw failed(
      new ConnectError(
        `the server at ${place} offers no TLS and sslmode '${options.sslMode ?? 'verify-full'}' asks for it`,
        {
          outcome: 'not-sent',
        },
      ),
    );
  }
  const near = options.address ?? options.host;
  if (plan.guarded && !isLoopback(near) && !isPrivate(near)) {
    const url = `postgresql://${encodeURIComponent(options.user)}@${place}/${encodeURIComponent(options.database)}?sslmode=disable`;
    throw failed(
      new ConnectError(`the server at ${place} offers no TLS, and it is not a private host`, {
        hint: `Turn TLS on there. If plain text is what you want, say so: ${url}`,
        outcome: 'not-sent',
      }),
    );
  }
  warnPlain(options);
}

/** A handshake that failed, in words that name the cure. */
export function handshakeError(cause: unknown, { host, port }: ResolvedOptions): ConnectError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return failed(
    new ConnectError(`TLS with ${host}:${port} failed: ${reason}`, {
      hint: 'Give the certificate to trust as sslrootcert=PATH, or say sslmode=require to encrypt without checking who answers.',
      outcome: 'not-sent',
      cause,
    }),
  );
}

/** Throws unless the other side said that it speaks PostgreSQL: it may be any TLS server at all. */
export function checkDirect(
  { alpnProtocol }: { readonly alpnProtocol?: string | false | null },
  options: ResolvedOptions,
): void {
  if (alpnProtocol !== ALPN) throw handshakeError(new ConnectError('the server does not know direct TLS'), options);
}

/** A plan without TLS: said once where TLS was thinkable. */
export function acceptPlain(options: ResolvedOptions): void {
  if (options.sslMode === 'allow' || options.sslMode === 'prefer') warnPlain(options);
}

/** Brings the transport to the state the plan asks for, or throws. */
export async function negotiateTls(transport: Transport, options: ResolvedOptions, plan: TlsPlan): Promise<Secured> {
  const plain: Secured = { socket: undefined, verified: false };
  if (plan.want === 'never') {
    acceptPlain(options);
    return plain;
  }
  if (!plan.direct && !(await ask(transport))) {
    refusePlain(options, plan);
    return plain;
  }
  const settings = await tlsOptions(options, plan);
  let socket: TLSSocket;
  try {
    socket = await transport.secure(settings);
  } catch (error) {
    throw error instanceof ConnectError ? error : handshakeError(error, options);
  }
  if (plan.direct) checkDirect(socket, options);
  return { socket, verified: settings.rejectUnauthorized === true };
}
