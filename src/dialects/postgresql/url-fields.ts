// The parts of a connection URL as texts, with the PG* environment behind them, as libpq lays one over the other. Read in
// one pass, refused rather than guessed, and never quoted back: an error names the part that is wrong, because the whole
// may hold a password.
import { UsageError } from '../../errors/index.ts';

/** The most bytes a URL may have. */
const MAX_LENGTH = 8192;
const SCHEME = /^postgres(?:ql)?:\/\//i;
const SHAPE = 'postgresql://user:password@host:5432/database?sslmode=verify-full';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Every option there is, with the environment variable behind it. */
const VARIABLES = {
  host: 'PGHOST',
  hostaddr: 'PGHOSTADDR',
  port: 'PGPORT',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  passfile: 'PGPASSFILE',
  dbname: 'PGDATABASE',
  sslmode: 'PGSSLMODE',
  sslnegotiation: 'PGSSLNEGOTIATION',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  channel_binding: 'PGCHANNELBINDING',
  require_auth: 'PGREQUIREAUTH',
  target_session_attrs: 'PGTARGETSESSIONATTRS',
  load_balance_hosts: 'PGLOADBALANCEHOSTS',
  application_name: 'PGAPPNAME',
  fallback_application_name: undefined,
  client_encoding: 'PGCLIENTENCODING',
  gssencmode: 'PGGSSENCMODE',
  connect_timeout: 'PGCONNECT_TIMEOUT',
  keepalives: undefined,
  keepalives_idle: undefined,
  keepalives_interval: undefined,
  keepalives_count: undefined,
  options: 'PGOPTIONS',
  pooler: undefined,
} as const satisfies Readonly<Record<string, string | undefined>>;

export type Field = keyof typeof VARIABLES;
type Fields = Partial<Record<Field, string>>;

/** What libpq knows and we do not do: passing over it would change what the URL means. */
const REFUSED: Readonly<Record<string, string>> = {
  service: 'service files are not read: give the parts themselves',
  servicefile: 'service files are not read: give the parts themselves',
  sslcrl: 'revocation lists are not read',
  sslcrldir: 'revocation lists are not read',
  sslpassword: 'keys with a passphrase are not read: give one without, in a file of mode 0600',
  requirepeer: "the peer's user of a Unix socket cannot be asked for here",
  krbsrvname: 'there is no Kerberos here',
  tcp_user_timeout: 'Node cannot set it: use keepalives_idle, keepalives_interval and keepalives_count',
  replication: 'replication is not spoken here',
};

const isField = (name: string): name is Field => Object.hasOwn(VARIABLES, name);

/** Splits at the first `mark`; the second part is undefined without one. */
export function cut(text: string, mark: string): readonly [string, string | undefined] {
  const at = text.indexOf(mark);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

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

interface PlaceTexts {
  readonly host: string;
  readonly port: string;
}

function readPlace(place: string): PlaceTexts {
  if (!place.startsWith('[')) {
    const [host, port = ''] = cut(place, ':');
    return { host, port };
  }
  const bracket = place.indexOf(']');
  if (bracket === -1) throw new UsageError('the host of the database URL has a [ without its ]');
  return { host: place.slice(1, bracket), port: cut(place.slice(bracket + 1), ':')[1] ?? '' };
}

function readAuthority(authority: string, fields: Fields): void {
  const at = authority.lastIndexOf('@');
  if (at !== -1) {
    const [user, password] = cut(authority.slice(0, at), ':');
    if (user !== '') fields.user = decoded(user, 'user');
    if (password !== undefined) fields.password = decoded(password, 'password');
  }
  const places = authority
    .slice(at + 1)
    .split(',')
    .map(readPlace);
  if (places.some(({ host }) => host !== '')) fields.host = decoded(places.map(({ host }) => host).join(','), 'host');
  if (places.some(({ port }) => port !== '')) fields.port = places.map(({ port }) => port).join(',');
}

function unknownOption(name: string): UsageError {
  if (Object.hasOwn(REFUSED, name))
    return new UsageError(`the database URL has the option '${name}', and ${REFUSED[name]}`);
  return new UsageError(`the database URL has an option '${name.slice(0, 40)}' that does not exist`, {
    hint: `Options are ${Object.keys(VARIABLES).join(', ')}.`,
  });
}

function readQuery(query: string, fields: Fields): void {
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const [rawName, rawValue] = cut(pair, '=');
    const name = decoded(rawName, 'options');
    if (!isField(name)) throw unknownOption(name);
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

/** What the URL says of a field, else the environment; nothing where that is empty. UsageError if the URL cannot be read. */
export function fieldsOf(url: string, environment: Environment): (name: Field) => string | undefined {
  const given = readFields(url);
  if ((environment['PGSERVICE'] ?? '') !== '')
    throw new UsageError(`PGSERVICE is set in the environment, and ${REFUSED['service']}`);
  return (name) => {
    const variable = VARIABLES[name];
    const value = given[name] ?? (variable === undefined ? undefined : environment[variable]);
    return value === '' ? undefined : value;
  };
}
