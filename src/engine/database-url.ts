// A database URL as a value: taken apart, put together, changed in one place without string work, and printed without
// its password. What the parts mean is the backend's; this knows the one form they all share.
import { NOT_TRANSFERABLE, type TransferGuard, transferGuard, UsageError } from '../errors/index.ts';

/** The parts of a database URL, unescaped. */
export interface UrlParts {
  /** `postgresql`, `sqlite`, `embedded`... */
  readonly scheme: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** The database's name, or the file or folder it lives in. */
  readonly database?: string | undefined;
  /** Options behind the question mark. */
  readonly query?: Readonly<Record<string, string>> | undefined;
}

const GUARD = transferGuard(
  'A database URL',
  'Send url.render({ hidePassword: false }) where the other side may know it.',
);
const SHAPE = /^([a-z][a-z0-9+.-]*):([^?#]*)(?:\?([^#]*))?$/i;
const SCHEME = /^[a-z][a-z0-9+.-]*$/i;
const HIDDEN = '***';
/** Options that hold a secret. */
const SECRETS = /^(?:password|.*(?:secret|token).*)$/i;

/** A database URL. Frozen; `set()` gives another one. */
export class DatabaseUrl {
  readonly [NOT_TRANSFERABLE]: TransferGuard = GUARD;
  readonly scheme: string;
  readonly user: string | undefined;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly database: string | undefined;
  readonly query: Readonly<Record<string, string>>;
  readonly #password: string | undefined;

  /** Throws `ATH_USAGE` for parts that cannot stand in a URL. */
  constructor(parts: UrlParts) {
    const { scheme, user, password, host, port, database, query = {} } = parts;
    if (!SCHEME.test(scheme)) throw new UsageError('A database URL needs a scheme of letters, digits, + . and -.');
    if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65535)) {
      throw new UsageError('The port of a database URL is a whole number from 1 to 65535.');
    }
    if (host === undefined && (user ?? password ?? port) !== undefined) {
      throw new UsageError('A database URL with a user, password or port needs a host.');
    }
    for (const part of [user, password, host, database, ...Object.entries(query).flat()]) {
      if (part?.includes('\0') === true) throw new UsageError('A part of the database URL contains a NUL character.');
    }
    this.scheme = scheme.toLowerCase();
    this.user = user;
    this.host = host;
    this.port = port;
    this.database = database;
    this.query = Object.freeze({ ...query });
    this.#password = password;
    Object.freeze(this);
  }

  /** Reads a URL. Throws `ATH_USAGE`, which never quotes what it could not read. */
  static parse(text: string): DatabaseUrl {
    const shape = SHAPE.exec(text);
    if (shape === null) throw new UsageError('The database URL has no scheme, or a # that is not written as %23.');
    const [, scheme = '', body = '', query = ''] = shape;
    return new DatabaseUrl({
      scheme,
      ...(body.startsWith('//') ? withHost(body.slice(2)) : { database: decoded(body) }),
      query: queryOf(query),
    });
  }

  /** The secret; nothing else shows it. */
  get password(): string | undefined {
    return this.#password;
  }

  /** The same URL with these parts instead; `undefined` takes one out. */
  set(parts: Partial<UrlParts>): DatabaseUrl {
    const { scheme, user, host, port, database, query } = this;
    return new DatabaseUrl({ scheme, user, host, port, database, query, password: this.#password, ...parts });
  }

  /** The same URL with these options added; `undefined` takes one out. */
  updateQuery(options: Readonly<Record<string, string | undefined>>): DatabaseUrl {
    const query = Object.entries({ ...this.query, ...options }).filter(([, value]) => value !== undefined);
    return this.set({ query: Object.fromEntries(query) as Record<string, string> });
  }

  /** As text, escaped; without the password unless asked for. Reading it gives an equal URL. */
  render({ hidePassword = true }: { readonly hidePassword?: boolean } = {}): string {
    const names = Object.keys(this.query);
    const query = names.map((name) => {
      const value = hidePassword && SECRETS.test(name) ? HIDDEN : escaped(this.query[name] ?? '', '/:');
      return `${escaped(name)}=${value}`;
    });
    return `${this.scheme}:${this.#authority(hidePassword)}${this.#place()}${names.length === 0 ? '' : `?${query.join('&')}`}`;
  }

  /** Whether the other one says the same, password included. */
  equals(other: DatabaseUrl): boolean {
    return this.render({ hidePassword: false }) === other.render({ hidePassword: false });
  }

  /** Without the password. */
  toString(): string {
    return this.render();
  }

  toJSON(): string {
    GUARD.json({});
    return this.render();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `DatabaseUrl ${this.render()}`;
  }

  #authority(hidePassword: boolean): string {
    if (this.host === undefined) return '';
    const secret = this.#password === undefined ? '' : `:${hidePassword ? HIDDEN : escaped(this.#password)}`;
    const user = this.user === undefined && secret === '' ? '' : `${escaped(this.user ?? '')}${secret}@`;
    const host = this.host.includes(':') && !this.host.includes(',') ? `[${this.host}]` : escaped(this.host, ',:[]');
    return `//${user}${host}${this.port === undefined ? '' : `:${this.port}`}`;
  }

  #place(): string {
    if (this.database === undefined) return '';
    if (this.host === undefined)
      return this.database.startsWith('/') ? `//${escaped(this.database, '/')}` : escaped(this.database, '/:');
    return `/${escaped(this.database)}`;
  }
}

/** Reads a URL that may be one already. */
export function makeUrl(url: string | DatabaseUrl): DatabaseUrl {
  return url instanceof DatabaseUrl ? url : DatabaseUrl.parse(url);
}

function withHost(body: string): Omit<UrlParts, 'scheme'> {
  // Three slashes: no host, and a path from the root.
  if (body.startsWith('/')) return { database: decoded(body) };
  const slash = body.indexOf('/');
  const authority = slash < 0 ? body : body.slice(0, slash);
  const database = slash < 0 || slash === body.length - 1 ? undefined : decoded(body.slice(slash + 1));
  const at = authority.lastIndexOf('@');
  const [user, password] = at < 0 ? [undefined, undefined] : credentials(authority.slice(0, at));
  return { user, password, database, ...placeOf(authority.slice(at + 1)) };
}

function credentials(text: string): readonly [string | undefined, string | undefined] {
  const colon = text.indexOf(':');
  if (colon < 0) return [decoded(text), undefined];
  return [colon === 0 ? undefined : decoded(text.slice(0, colon)), decoded(text.slice(colon + 1))];
}

function placeOf(text: string): { readonly host: string; readonly port: number | undefined } {
  // Several hosts keep their ports: which belongs to which is the backend's.
  if (text.includes(',')) return { host: decoded(text), port: undefined };
  const parts = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(text);
  if (parts === null) throw new UsageError('The host or port of the database URL cannot be read.');
  const [, host = '', port] = parts;
  return {
    host: decoded(host.startsWith('[') ? host.slice(1, -1) : host),
    port: port === undefined || port === '' ? undefined : Number(port),
  };
}

function queryOf(text: string): Record<string, string> {
  const query: Record<string, string> = {};
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decoded(equals < 0 ? pair : pair.slice(0, equals));
    Object.defineProperty(query, name, {
      value: equals < 0 ? '' : decoded(pair.slice(equals + 1)),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return query;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new UsageError('The database URL has a % that is no escape.', { hint: 'Write % itself as %25.' });
  }
}

/** Percent-encoded, but for the marks that may stand as they are. */
function escaped(text: string, plain: string = ''): string {
  const encoded = encodeURIComponent(text);
  return plain.split('').reduce((given, mark) => given.replaceAll(encodeURIComponent(mark), mark), encoded);
}
