// Connection URLs as libpq reads them: the texts of a URL and its environment as checked options.
import { realpathSync } from 'node:fs';
import { userInfo } from 'node:os';
import { UsageError } from '../../errors/index.ts';
import {
  AUTH_METHODS,
  type AuthMethod,
  BALANCES,
  CHANNEL_BINDINGS,
  type KeepAlive,
  NEGOTIATIONS,
  POOLERS,
  type PostgresHost,
  type PostgresOptions,
  SSL_MODES,
  TARGETS,
} from './driver/options.ts';
import { isLoopback } from './hosts.ts';
import { cut, type Environment, type Field, fieldsOf } from './url-fields.ts';

type Read = (name: Field) => string | undefined;

function whole(name: string, text: string | undefined, most: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > most) throw new UsageError(`${name} must be a whole number from 1 to ${most}`);
  return value;
}

function choice<T extends string>(name: string, text: string | undefined, known: readonly T[]): T | undefined {
  const found = known.find((one) => one === text);
  if (text !== undefined && found === undefined) throw new UsageError(`${name} must be one of ${known.join(', ')}`);
  return found;
}

/** Methods libpq knows and this driver never uses: they may be refused, not demanded. */
const FOREIGN_METHODS = new Set(['gss', 'sspi', 'oauth']);

/** A list of what is accepted, or, with `!` before each, of what is not. */
function methods(text: string | undefined): readonly AuthMethod[] | undefined {
  if (text === undefined) return undefined;
  const names = text.split(',').map((one) => one.trim());
  const negated = names.filter((name) => name.startsWith('!'));
  if (negated.length === 0) return names.map((name) => choice('require_auth', name, AUTH_METHODS) as AuthMethod);
  if (negated.length < names.length)
    throw new UsageError('require_auth must name what is accepted or what is not, not both');
  const refused = new Set(negated.map((name) => name.slice(1)));
  for (const name of refused) if (!FOREIGN_METHODS.has(name)) choice('require_auth', name, AUTH_METHODS);
  return AUTH_METHODS.filter((method) => !refused.has(method));
}

/** `-c name=value` and `--name=value`, the part of libpq's `options` that sets settings. */
function settingsOf(text: string | undefined): Record<string, string> | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  // A backslash keeps a blank inside a value.
  const words = text.match(/(?:\\[\s\S]|[^\s\\])+/g) ?? [];
  const settings: Record<string, string> = {};
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    const body = word === '-c' ? words[++i] : /^(?:-c|--)([\s\S]+)$/.exec(word)?.[1];
    const [name, value] = cut((body ?? '').replace(/\\([\s\S])/g, '$1'), '=');
    if (value === undefined || !/^[a-z_][\w.-]*$/i.test(name))
      throw new UsageError('options may only hold settings: -c name=value');
    settings[name.replaceAll('-', '_')] = value;
  }
  return settings;
}

/** The name the operating system knows this user by; libpq's default. */
function systemUser(): string {
  try {
    return userInfo().username;
  } catch (cause) {
    throw new UsageError('the database URL names no user, and the system does not know one', { cause });
  }
}

/** The lists of hosts and ports, one beside the other; a single port is for all hosts. */
function placesOf(field: Read): readonly PostgresHost[] {
  const addresses = field('hostaddr')?.split(',');
  const hosts = field('host')?.split(',') ?? addresses ?? ['localhost'];
  const ports = field('port')?.split(',') ?? [''];
  if (addresses !== undefined && addresses.length !== hosts.length)
    throw new UsageError(`${addresses.length} hostaddr for ${hosts.length} hosts`);
  if (ports.length !== 1 && ports.length !== hosts.length)
    throw new UsageError(`${ports.length} ports for ${hosts.length} hosts`);
  return hosts.map((host, i) => {
    const port = ports.length === 1 ? ports[0] : ports[i];
    return {
      host: host === '' ? (addresses?.[i] ?? 'localhost') : host,
      port: whole('port', port === '' ? undefined : port, 65535) ?? 5432,
      address: addresses?.[i] === '' ? undefined : addresses?.[i],
    };
  });
}

function seconds(field: Read, name: Field, most: number): number | undefined {
  const value = whole(name, field(name), most);
  return value === undefined ? undefined : value * 1000;
}

function keepAliveOf(field: Read): KeepAlive | false | undefined {
  if (choice('keepalives', field('keepalives'), ['0', '1']) === '0') return false;
  const idle = seconds(field, 'keepalives_idle', 86_400);
  const interval = seconds(field, 'keepalives_interval', 86_400);
  const count = whole('keepalives_count', field('keepalives_count'), 1000);
  return idle === undefined && interval === undefined && count === undefined ? undefined : { idle, interval, count };
}

/** Options of libpq whose only possible value here is what happens anyway. */
function checkFixed(field: Read): void {
  choice('gssencmode', field('gssencmode'), ['disable', 'prefer']);
  choice('client_encoding', field('client_encoding')?.toUpperCase().replace('-', ''), ['UTF8', 'AUTO']);
}

/**
 * Reads a PostgreSQL URL. What it leaves out comes from the PG* variables of `environment`, then from libpq's defaults.
 * UsageError if it cannot be read; the error never holds the password.
 */
export function parsePostgresUrl(url: string, environment: Environment = process.env): PostgresOptions {
  const field = fieldsOf(url, environment);
  checkFixed(field);
  const places = placesOf(field);
  const user = field('user') ?? systemUser();
  const password = field('password');
  return {
    ...places[0],
    hosts: places.length === 1 ? undefined : places,
    targetSessionAttrs: choice('target_session_attrs', field('target_session_attrs'), TARGETS),
    loadBalanceHosts: choice('load_balance_hosts', field('load_balance_hosts'), BALANCES),
    user,
    database: field('dbname') ?? user,
    // A function, so that nothing that prints the options prints it.
    password: password === undefined ? undefined : () => password,
    passFile: field('passfile'),
    sslMode: choice('sslmode', field('sslmode'), SSL_MODES),
    sslNegotiation: choice('sslnegotiation', field('sslnegotiation'), NEGOTIATIONS),
    sslRootCert: field('sslrootcert'),
    sslCert: field('sslcert'),
    sslKey: field('sslkey'),
    channelBinding: choice('channel_binding', field('channel_binding'), CHANNEL_BINDINGS),
    requireAuth: methods(field('require_auth')),
    applicationName: field('application_name') ?? field('fallback_application_name'),
    connectTimeout: seconds(field, 'connect_timeout', 86_400),
    keepAlive: keepAliveOf(field),
    pooler: choice('pooler', field('pooler'), POOLERS),
    settings: settingsOf(field('options')),
  };
}

/** The URL with its password, wherever it stands, as `***`. Any string may be given. */
export function redactPostgresUrl(url: string): string {
  const [beforeQuery, query] = cut(url, '?');
  const start = beforeQuery.indexOf('//') + 2;
  const at = beforeQuery.lastIndexOf('@');
  const colon = start >= 2 ? beforeQuery.indexOf(':', start) : -1;
  const hidden =
    colon !== -1 && colon < at ? `${beforeQuery.slice(0, colon)}:***${beforeQuery.slice(at)}` : beforeQuery;
  if (query === undefined) return hidden;
  const pairs = query
    .split('&')
    .map((pair) => (/^(?:password|p(?:%[0-9a-f]{2}|\w)*d)=/i.test(pair) ? 'password=***' : pair));
  return `${hidden}?${pairs.join('&')}`;
}

function canonicalPlace({ host = 'localhost', port = 5432 }: PostgresHost): string {
  if (!host.startsWith('/')) return `${isLoopback(host) ? 'localhost' : host.toLowerCase().replace(/\.$/, '')}:${port}`;
  let folder = host;
  try {
    folder = realpathSync(host);
  } catch {
    // It is not there yet: the path as written has to do.
  }
  return `${folder}/.s.PGSQL.${port}`;
}

/**
 * The one name of the server these options lead to, the same for every spelling: what processes that share a server
 * find each other by. Several hosts have one name together, in whatever order they are given.
 */
export function canonicalAddress(options: PostgresOptions): string {
  return [...new Set((options.hosts ?? [options]).map(canonicalPlace))].sort().join(',');
}
