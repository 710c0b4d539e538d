// What logs, events and traces say about which engine it is: by its address without secrets, taken apart once.
import type { Dialect } from '../../dialect/dialect.ts';

/** One engine, as those who look on meet it. Frozen, and free of secrets. */
export interface EngineFacts {
  /** The database's name in lower case, as OpenTelemetry has it in `db.system.name`. */
  readonly system: string;
  /** The URL without user's secrets. */
  readonly url: string;
  /** What the application calls it: the option `logName`. */
  readonly name: string | undefined;
  /** The server's host, or the folder of its socket; `undefined` for a database without a server. */
  readonly address: string | undefined;
  readonly port: number | undefined;
  /** The database's name, or its file. */
  readonly namespace: string | undefined;
}

/** Takes the address of an engine apart. */
export function engineFacts(dialect: Dialect, url: string, name: string | undefined): EngineFacts {
  const [, address, port] = /^(.*?)(?::|\/\.s\.[A-Z]+\.)(\d+)$/s.exec(dialect.serverAddress ?? '') ?? [];
  return Object.freeze({
    system: dialect.name,
    url,
    name,
    address,
    port: port === undefined ? undefined : Number(port),
    namespace: namespaceOf(url),
  });
}

/** The path of a URL: `scheme://host/database`, `scheme:./file`. */
function namespaceOf(url: string): string | undefined {
  const path = /^[a-z][a-z0-9+.-]*:(?:\/\/[^/?#]*\/?)?([^?#]*)/i.exec(url)?.[1];
  if (path === undefined || path === '') return undefined;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
