// Connection URLs as libpq reads them, with the PG* environment behind them. Read in one pass, refused rather than
// guessed, and never quoted back: an error names the part that is wrong, because the whole may hold a password.
import { realpathSync } from 'node:fs';
import { userInfo } from 'node:os';
import { UsageError } from '../../errors/index.ts';
import { isLoopback } from './hosts.ts';
import { AUTH_METHODS, type AuthMethod, CHANNEL_BINDINGS, type PostgresOptions, SSL_MODES } from './driver/options.ts';

/** The most bytes a URL may have. */
const MAX_LENGTH = 8192;
const SCHEME = /^postgres(?:ql)?:\/\//i;
const SHAPE = 'postgresql://user:password@host:5432/database?sslmode=verify-full';

export type Environment = Readonly<Record<string, string | undefined>>;

type Fields = Partial<Record<Field, string>>;
type Field =
  | 'host'
  | 'port'
  | 'user'
  | 'password'
  | 'dbname'
  | 'sslmode'
  | 'sslrootcert'
  | 'sslcert'
  | 'sslkey'
  | 'channel_binding'
  | 'require_auth'
  | 'application_name'
  | 'connect_timeout'
  | 'options';

/** Every query option there is, with the environment variable behind it. */
const VARIABLES: Readonly<Record<Field, string | undefined>> = {
  host: 'PGHOST',
  port: 'PGPORT',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  dbname: 'PGDATABASE',
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  channel_binding: 'PGCHANNELBINDING',
  require_auth: 'PGREQUIREAUTH',
  application_name: 'PGAPPNAME',
  connect_timeout: 'PGCONNECT_TIMEOUT',
  options: 'PGOPTIONS',
};

const isField = (name: string): name is Field => Object.hasOwn(VARIABLES, name);

function decoded(part: string, what: string): string {
  let text: string;
  try {
    text = decodeURIComponent(part);
  } catch {
    throw new UsageError(`the ${what} of the database URL has a % that is no escape`, {
      hint: 'Write % itself as %25.',
    });
  }
  if (text.includes('\0')) throw new UsageError(`the ${what} of the database URL contains a NUL character`);
  return text;
}

/** Splits at the first `mark`; the second part is undefined without one. */
function cut(text: string, mark: string): readonly [string, string | undefined] {
  const at = text.indexOf(mark);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function readAuthority(authority: string, fields: Fields): void {
  const at = authority.lastIndexOf('@');
  if (at !== -1) {
    const [user, password] = cut(authority.slice(0, at), ':');
    if (user !== '') fields.user = decoded(user, 'user');
    if (password !== undefined) fields.password = decoded(password, 'password');
  }
  const place = authority.slice(at + 1);
  const bracket = place.startsWith('[') ? place.indexOf(']') : -1;
  if (place.startsWith('[') && bracket === -1)
    throw new UsageError('the host of the database URL has a [ without its ]');
  const [host, port] =
    bracket === -1 ? cut(place, ':') : [place.slice(1, bracket), cut(place.slice(bracket + 1), ':')[1]];
  if (host !== '') fields.host = decoded(host, 'host');
  if (port !== undefined && port !== '') fields.port = port;
}

function readQuery(query: string, fields: Fields): void {
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const [rawName, rawValue] = cut(pair, '=');
    const name = decoded(rawName, 'options');
    if (!isField(name)) {
      throw new UsageError(`the database URL has an option '${name.slice(0, 40)}' that does not exist`, {
        hint: `Options are ${Object.keys(VARIABLES).join(', ')}.`,
      });
    }
    fields[name] = decoded(rawValue ?? '', `option ${name}`);
  }
}

function readFields(url: string): Fields {
  if (url.length > MAX_LENGTH) throw new UsageError(`the database URL is longer than ${MAX_LENGTH} characters`);
  const scheme = SCHEME.exec(url);
  if (scheme === null)
    throw new UsageError('the database URL does not begin with postgresql://', { hint: `It looks like ${SHAPE}` });
  const [beforeQuery, query] = cut(url.slice(scheme[0].length), '?');
  const [authority, path] = cut(beforeQuery, '/');
  const fields: Fields = {};
  readAuthority(authority, fields);
  if (path !== undefined && path !== '') fields.dbname = decoded(path, 'database');
  if (query !== undefined) readQuery(query, fields);
  return fields;
}

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

function methods(text: string | undefined): readonly AuthMethod[] | undefined {
  return text?.split(',').map((one) => choice('require_auth', one.trim(), AUTH_METHODS) as AuthMethod);
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

/**
 * Reads a PostgreSQL URL. What it leaves out comes from the PG* variables of `environment`, then from libpq's defaults.
 * UsageError if it cannot be read; the error never holds the password.
 */
export function parsePostgresUrl(url: string, environment: Environment = process.env): PostgresOptions {
  const given = readFields(url);
  const field = (name: Field): string | undefined => {
    const value = given[name] ?? environment[VARIABLES[name] ?? ''];
    return value === '' ? undefined : value;
  };
  const host = field('host') ?? 'localhost';
  if (host.includes(',')) throw new UsageError('the database URL names several hosts: give one');
  const seconds = whole('connect_timeout', field('connect_timeout'), 86_400);
  const user = field('user') ?? systemUser();
  const password = field('password');
  return {
    host,
    port: whole('port', field('port'), 65535) ?? 5432,
    user,
    database: field('dbname') ?? user,
    // A function, so that nothing that prints the options prints it.
    password: password === undefined ? undefined : () => password,
    sslMode: choice('sslmode', field('sslmode'), SSL_MODES),
    sslRootCert: field('sslrootcert'),
    sslCert: field('sslcert'),
    sslKey: field('sslkey'),
    channelBinding: choice('channel_binding', field('channel_binding'), CHANNEL_BINDINGS),
    requireAuth: methods(field('require_auth')),
    applicationName: field('application_name'),
    connectTimeout: seconds === undefined ? undefined : seconds * 1000,
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

/**
 * The one name of the server these options lead to, the same for every spelling: what processes that share a server
 * find each other by.
 */
export function canonicalAddress(options: PostgresOptions): string {
  const host = options.host ?? 'localhost';
  const port = options.port ?? 5432;
  if (!host.startsWith('/')) return `${isLoopback(host) ? 'localhost' : host.toLowerCase().replace(/\.$/, '')}:${port}`;
  let folder = host;
  try {
    folder = realpathSync(host);
  } catch {
    // It is not there yet: the path as written has to do.
  }
  return `${folder}/.s.PGSQL.${port}`;
}
