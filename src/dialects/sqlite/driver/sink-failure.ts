// A sink must not throw. If one does, that is no answer of the database and must not be taken for one.
export class SinkFailure {
  readonly error: unknown;
  constructor(error: unknown) {
    this.error = error;
  }
}

/** Runs code of the sink and marks what it throws. */
export function deliver(push: () => void): void {
  try {
    push();
  } catch (error) {
    throw new SinkFailure(error);
  }
}
