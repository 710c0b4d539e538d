// What a database URL leads to: the dialect to speak, how the place is called in print, and, where there is a server
// with connections to share, how to find those who share it and whom to ask about it.
import type { Dialect } from './dialect.ts';

/** The server side of a backend. */
export interface BackendServer {
  /** The one name of the server, the same for every spelling of its URL. */
  readonly address: string;
  /** A module that exports `openMonitor(options): ServerMonitor`, and its options: a broker asks from a thread of its own. */
  readonly monitor: { readonly module: string; readonly options: unknown };
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
