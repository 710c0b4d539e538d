// What other sessions announce through the database, as it arrives between a connection's own answers.

/** One NOTIFY, by any session of the database, this one included. */
export interface Notification {
  readonly channel: string;
  readonly payload: string;
  /** The server process of the session that sent it. */
  readonly pid: number;
}
