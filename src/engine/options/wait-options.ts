// How long the caller waits: everything that waits takes these two.

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds. */
  readonly timeout?: number | undefined;
}
