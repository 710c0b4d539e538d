// What a database URL leads to: the dialect to speak, how the place is called in print, and, where there is a server
// with connections to share, how to find those who share it and whom to ask about it.
import { UsageError } from '../errors/index.ts';
import type { Dialect } from './dialect.ts';

/** The server side of a backend. */
export interface BackendServer {
  /** The one name of the server, the same for every spelling of its URL. */
  readonly address: string;
  /** A module that exports `openMonitor(options): ServerMonitor`, and its options: a broker asks from a thread of its own. */
  readonly monitor: { readonly module: string; readonly options: unknown };
}

/** What a driver may be told beside the URL, by the driver's own names. */
export type ConnectArgs = Readonly<Record<string, unknown>>;

/** Finds the backend of a URL. Throws `UsageError` if it cannot be read, or for an argument the driver does not know. */
export type MakeBackend = (url: string, args: ConnectArgs | undefined) => Backend;

/** Throws `ATH_USAGE` for an argument that is not among `known`. */
export function checkArgs(args: ConnectArgs | undefined, known: readonly string[]): void {
  const unknown = Object.keys(args ?? {}).filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  throw new UsageError(`connectArgs holds ${unknown.join(', ')}, which this driver does not know.`, {
    hint: known.length === 0 ? 'It takes none.' : `It knows ${known.join(', ')}.`,
  });
}

export interface Backend {
  readonly dialect: Dialect;
  /** The URL without its secrets. */
  readonly display: string;
  /** The database lives in its one connection and is gone with it. */
  readonly singleConnection?: boolean | undefined;
  /** Gives back what the backend holds besides connections. */
  readonly release?: (() => Promise<void>) | undefined;
  /** Absent where no server limits connections. */
  readonly server?: BackendServer | undefined;
}
