// How a caller stops what it has asked a connection to do. A deadline is a signal too: who sets it knows the clock.

/** Common to everything that is sent on a connection. */
export interface SubmitOptions {
  /** Cancels on the server. The promise settles when the server has answered, so the connection is in a known state. */
  readonly signal?: AbortSignal | undefined;
}
