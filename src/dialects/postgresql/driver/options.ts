// What the driver can be told, and the one place where it is checked. The password is taken out at once and lives in
// a closure from then on, so that no inspection of anything can show it.
import type { LookupFunction } from 'node:net';
import type { ConnectOptions } from '../../../driver/driver.ts';
import { UsageError } from '../../../errors/index.ts';
import { textProblem } from '../wire/message-writer.ts';

/** As libpq's `sslmode`. */
export type SslMode = 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';
export type AuthMethod = 'scram-sha-256' | 'md5' | 'password' | 'none';
/** A password, or how to get one each time a connection is opened. */
export type Password = string | (() => string | Promise<string>);

export interface PostgresOptions {
  /** A name, an address, or the folder of a Unix socket when it begins with a slash. Default `localhost`. */
  readonly host?: string | undefined;
  /** Default 5432. */
  readonly port?: number | undefined;
  readonly user: string;
  /** Default: the user's name. */
  readonly database?: string | undefined;
  readonly password?: Password | undefined;
  /**
   * Left out: TLS, verified in full, wherever the server offers it; a server that offers none is accepted on this
   * machine and on private hosts. Given: exactly what libpq means by it.
   */
  readonly sslMode?: SslMode | undefined;
  /** Path of the certificates to trust, PEM, or `system` for Node's own. */
  readonly sslRootCert?: string | undefined;
  /** Paths of a client certificate and its key, PEM. */
  readonly sslCert?: string | undefined;
  readonly sslKey?: string | undefined;
  /** Whether SCRAM must be bound to the TLS channel. Default `prefer`. */
  readonly channelBinding?: 'disable' | 'prefer' | 'require' | undefined;
  /** The only authentications to accept. Default: SCRAM everywhere, others only in verified TLS or on near hosts. */
  readonly requireAuth?: readonly AuthMethod[] | undefined;
  /** What the server lists this connection as. */
  readonly applicationName?: string | undefined;
  /** For TCP, TLS and authentication together, in milliseconds. Default 10 000. */
  readonly connectTimeout?: number | undefined;
  /** Session settings, as `SET` takes them. One that the server refuses fails the connection. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** The most bytes one message of the server may have. Default 64 MiB. */
  readonly maxMessageSize?: number | undefined;
  /** Named statements kept per connection. Default 256. */
  readonly statementCacheSize?: number | undefined;
  /** Resolves names instead of the system. */
  readonly lookup?: LookupFunction | undefined;
}

export interface PostgresConnectOptions extends ConnectOptions {
  /** Instead of the driver's own `applicationName`. */
  readonly applicationName?: string | undefined;
}

/** Checked options with every default in place and the password out of sight. */
export interface ResolvedOptions extends Omit<PostgresOptions, 'password'> {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly password: (() => string | Promise<string>) | undefined;
  readonly connectTimeout: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly maxMessageSize: number;
  readonly statementCacheSize: number;
}

export const SSL_MODES: readonly SslMode[] = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'];
export const AUTH_METHODS: readonly AuthMethod[] = ['scram-sha-256', 'md5', 'password', 'none'];
export const CHANNEL_BINDINGS: readonly ('disable' | 'prefer' | 'require')[] = ['disable', 'prefer', 'require'];
const DEFAULT_TIMEOUT = 10_000;
const DEFAULT_MESSAGE = 64 * 1024 * 1024;
const DEFAULT_STATEMENTS = 256;

/** A string that goes into the protocol: NUL would begin a field of its own. */
export function protocolText(name: string, value: unknown): string {
  if (typeof value !== 'string') throw new UsageError(`${name} must be a string`);
  const problem = textProblem(value);
  if (problem !== undefined) throw new UsageError(`${name} ${problem}`);
  return value;
}

function wholeNumber(name: string, value: unknown, limits: { readonly least: number; readonly most: number }): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= limits.least && value <= limits.most)
    return value;
  throw new UsageError(`${name} must be a whole number from ${limits.least} to ${limits.most}`);
}

function oneOf<T extends string>(name: string, value: T | undefined, known: readonly T[]): void {
  if (value !== undefined && !known.includes(value)) throw new UsageError(`${name} must be one of ${known.join(', ')}`);
}

function hidden(password: Password | undefined): (() => string | Promise<string>) | undefined {
  return typeof password === 'string' ? () => password : password;
}

/** Checks options. UsageError names the first that is wrong, never its value. */
export function resolveOptions(options: PostgresOptions): ResolvedOptions {
  const { password, ...rest } = options;
  const optional = {
    database: options.database,
    host: options.host,
    applicationName: options.applicationName,
    sslRootCert: options.sslRootCert,
  };
  for (const [name, value] of Object.entries(optional)) if (value !== undefined) protocolText(name, value);
  for (const [name, value] of Object.entries(options.settings ?? {})) {
    protocolText('the name of a setting', name);
    protocolText(`the setting ${name}`, value);
  }
  const user = protocolText('user', options.user);
  if (user === '') throw new UsageError('user must not be empty');
  oneOf('sslMode', options.sslMode, SSL_MODES);
  oneOf('channelBinding', options.channelBinding, CHANNEL_BINDINGS);
  for (const method of options.requireAuth ?? []) oneOf('requireAuth', method, AUTH_METHODS);
  const resolved = {
    ...rest,
    host: options.host ?? 'localhost',
    port: wholeNumber('port', options.port ?? 5432, { least: 1, most: 65535 }),
    database: options.database ?? user,
    connectTimeout: wholeNumber('connectTimeout', options.connectTimeout ?? DEFAULT_TIMEOUT, {
      least: 1,
      most: 2 ** 31 - 1,
    }),
    settings: options.settings ?? {},
    maxMessageSize: wholeNumber('maxMessageSize', options.maxMessageSize ?? DEFAULT_MESSAGE, {
      least: 1024,
      most: 2 ** 30,
    }),
    statementCacheSize: wholeNumber('statementCacheSize', options.statementCacheSize ?? DEFAULT_STATEMENTS, {
      least: 1,
      most: 100_000,
    }),
    password: hidden(password),
  };
  return Object.freeze(resolved);
}
