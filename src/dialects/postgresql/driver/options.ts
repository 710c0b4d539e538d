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

/** Which of several servers to take, as libpq's `target_session_attrs`. */
export type TargetSessionAttrs = 'any' | 'read-write' | 'read-only' | 'primary' | 'standby' | 'prefer-standby';

/** One of several servers. */
export interface PostgresHost {
  /** A name, an address, or the folder of a Unix socket when it begins with a slash. Default `localhost`. */
  readonly host?: string | undefined;
  /** Default 5432. */
  readonly port?: number | undefined;
  /** Connects here without looking `host` up; `host` is still what a certificate is checked against. */
  readonly address?: string | undefined;
}

/** How the kernel finds out that a silent peer is gone. What the platform or this Node cannot set is left to the system. */
export interface KeepAlive {
  /** Milliseconds of silence before the first question. Default 30 000. */
  readonly idle?: number | undefined;
  /** Milliseconds between two questions; set where Node can (from 24 on). */
  readonly interval?: number | undefined;
  /** Questions without an answer until the connection is given up; set where Node can (from 24 on). */
  readonly count?: number | undefined;
}

export interface PostgresOptions {
  /** A name, an address, or the folder of a Unix socket when it begins with a slash. Default `localhost`. */
  readonly host?: string | undefined;
  /** Default 5432. */
  readonly port?: number | undefined;
  /** As in `hosts`. */
  readonly address?: string | undefined;
  /** Several servers, tried in order, instead of `host`, `port` and `address`. */
  readonly hosts?: readonly PostgresHost[] | undefined;
  /** Default `any`. */
  readonly targetSessionAttrs?: TargetSessionAttrs | undefined;
  /** `random` tries the hosts in a new order each time. Default `disable`. */
  readonly loadBalanceHosts?: 'disable' | 'random' | undefined;
  readonly user: string;
  /** Default: the user's name. */
  readonly database?: string | undefined;
  readonly password?: Password | undefined;
  /** Where to look a password up that is not given. Default `~/.pgpass`. */
  readonly passFile?: string | undefined;
  /**
   * Left out: TLS, verified in full, wherever the server offers it; a server that offers none is accepted on this
   * machine and on private hosts. Given: exactly what libpq means by it.
   */
  readonly sslMode?: SslMode | undefined;
  /** Path of the certificates to trust, PEM, or `system` for those of the machine. Default `~/.postgresql/root.crt`. */
  readonly sslRootCert?: string | undefined;
  /** `direct` begins with TLS at once, which servers from 17 on understand. Default `postgres`: the server is asked first. */
  readonly sslNegotiation?: 'postgres' | 'direct' | undefined;
  /** Paths of a client certificate and its key, PEM. Default `~/.postgresql/postgresql.crt` and `.key`. */
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
  /** `false` turns it off. */
  readonly keepAlive?: KeepAlive | false | undefined;
  /**
   * What stands between: `transaction` is a pooler that gives the session away after each transaction, so nothing is
   * left in it; `session` is one that does not, and is as none. Left out: found out, and then `transaction`.
   */
  readonly pooler?: 'session' | 'transaction' | undefined;
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

/** Where one connection goes. */
export interface Place {
  readonly host: string;
  readonly port: number;
  readonly address: string | undefined;
}

/** A place as messages name it. */
export function placeName({ host, port }: Place): string {
  return host.startsWith('/') ? `${host}/.s.PGSQL.${port}` : `${host}:${port}`;
}

/** Checked options with every default in place, for one of the places, and the password out of sight. */
export interface ResolvedOptions extends Omit<PostgresOptions, 'password' | 'hosts'>, Place {
  readonly host: string;
  readonly port: number;
  readonly address: string | undefined;
  readonly places: readonly Place[];
  readonly targetSessionAttrs: TargetSessionAttrs;
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
export const TARGETS: readonly TargetSessionAttrs[] = [
  'any',
  'read-write',
  'read-only',
  'primary',
  'standby',
  'prefer-standby',
];
export const BALANCES: readonly ('disable' | 'random')[] = ['disable', 'random'];
export const NEGOTIATIONS: readonly ('postgres' | 'direct')[] = ['postgres', 'direct'];
export const POOLERS: readonly ('session' | 'transaction')[] = ['session', 'transaction'];
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

function placesOf({ hosts, host, port, address }: PostgresOptions): readonly Place[] {
  const given = hosts ?? [{ host, port, address }];
  if (given.length === 0) throw new UsageError('hosts must not be empty');
  return given.map((one) => {
    if (one.address !== undefined) protocolText('address', one.address);
    return Object.freeze({
      host: protocolText('host', one.host ?? 'localhost'),
      port: wholeNumber('port', one.port ?? 5432, { least: 1, most: 65535 }),
      address: one.address,
    });
  });
}

/** What libpq refuses as well: a promise of TLS that the mode does not keep. */
function checkTls({ sslMode, sslRootCert, sslNegotiation }: PostgresOptions): void {
  if (sslRootCert === 'system' && sslMode !== undefined && sslMode !== 'verify-full')
    throw new UsageError(`sslmode '${sslMode}' is too weak for sslrootcert=system: use verify-full`);
  if (sslNegotiation === 'direct' && (sslMode === 'disable' || sslMode === 'allow' || sslMode === 'prefer'))
    throw new UsageError(
      `sslmode '${sslMode}' is too weak for sslnegotiation=direct: use require, verify-ca or verify-full`,
    );
}

function checkKeepAlive(given: KeepAlive | false | undefined): void {
  if (given === undefined || given === false) return;
  for (const [name, value] of Object.entries({ idle: given.idle, interval: given.interval, count: given.count }))
    if (value !== undefined) wholeNumber(`keepAlive.${name}`, value, { least: 1, most: 2 ** 31 - 1 });
}

function checkTexts(options: PostgresOptions): void {
  const { database, applicationName, sslRootCert, sslCert, sslKey, passFile } = options;
  for (const [name, value] of Object.entries({ database, applicationName, sslRootCert, sslCert, sslKey, passFile }))
    if (value !== undefined) protocolText(name, value);
  for (const [name, value] of Object.entries(options.settings ?? {})) {
    protocolText('the name of a setting', name);
    protocolText(`the setting ${name}`, value);
  }
}

function checkChoices(options: PostgresOptions): void {
  oneOf('sslMode', options.sslMode, SSL_MODES);
  oneOf('channelBinding', options.channelBinding, CHANNEL_BINDINGS);
  oneOf('targetSessionAttrs', options.targetSessionAttrs, TARGETS);
  oneOf('loadBalanceHosts', options.loadBalanceHosts, BALANCES);
  oneOf('sslNegotiation', options.sslNegotiation, NEGOTIATIONS);
  oneOf('pooler', options.pooler, POOLERS);
  for (const method of options.requireAuth ?? []) oneOf('requireAuth', method, AUTH_METHODS);
}

/** Checks options. UsageError names the first that is wrong, never its value. */
export function resolveOptions(options: PostgresOptions): ResolvedOptions {
  const { password, hosts: _hosts, ...rest } = options;
  checkTexts(options);
  const user = protocolText('user', options.user);
  if (user === '') throw new UsageError('user must not be empty');
  checkChoices(options);
  checkTls(options);
  checkKeepAlive(options.keepAlive);
  const places = placesOf(options);
  return Object.freeze({
    ...rest,
    ...(places[0] as Place),
    places,
    targetSessionAttrs: options.targetSessionAttrs ?? 'any',
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
  });
}
