// What the variants have in common, seen from outside: so many rows, a child for each, and what the main process read
// in the end. A child may be started under someone's eyes; alone, a variant starts it itself.

/** A row as the main process read it after its child had committed. */
export interface Row {
  readonly id: number;
  readonly value: number;
}

export interface Iteration {
  /** How many rows, and so how many children at once. One if not given. */
  readonly rows?: number;
  /** Starts the child for a row and waits for its end. */
  readonly child?: (id: number) => PromiseLike<unknown>;
}
