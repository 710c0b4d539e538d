// What a broker asks a server: how many connections there may be, and whether a connection it once granted is still
// there. A broker never guesses; it asks, and waits until it can.
import type { ServerIdentity } from './driver.ts';

/** How many connections this user and database may have, as the server says now. */
export interface ServerLimits {
  /** What is left for us after reserved ones, and the role's and the database's own limits. */
  readonly available: number;
  /** Connections others hold now, within the same limits. */
  readonly others: number;
  /** How `available` came about, for a log. */
  readonly text: string;
}

/** A server session that athanor opened, as the server lists it. */
export interface ListedSession extends ServerIdentity {
  readonly applicationName: string;
}

export interface ServerMonitor {
  /** `ours` are the sessions known to belong to the asking broker; they are not counted as others. */
  limits(ours: readonly ServerIdentity[]): Promise<ServerLimits>;
  /** Which of these sessions the server still has. */
  alive(sessions: readonly ServerIdentity[]): Promise<readonly ServerIdentity[]>;
  /** The sessions whose application_name begins with `prefix`. */
  sessions(prefix: string): Promise<readonly ListedSession[]>;
  /** Ends a session, if the server still has exactly that one. */
  terminate(session: ServerIdentity): Promise<void>;
  close(): Promise<void>;
}
