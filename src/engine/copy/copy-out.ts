// A bulk stream comes in pushes; a reader pulls. Between them lies one piece: while the reader has not taken it, the
// server is kept waiting, and a reader who leaves stops the server.
import { CancelledError } from '../../errors/index.ts';

/** Gives what `run` pushes, list by list, until it has settled. Leaving early makes the next push throw. */
export async function* pulled<T>(
  run: (push: (list: readonly T[]) => Promise<void>) => Promise<unknown>,
): AsyncGenerator<readonly T[], void, undefined> {
  let held: { readonly list: readonly T[]; taken(): void } | undefined;
  let wake: (() => void) | undefined;
  let gone = false;
  let ended: { readonly error?: unknown } | undefined;
  const running = run(
    (list) =>
      new Promise((resolve, reject) => {
        if (gone) {
          reject(readerGone());
          return;
        }
        held = { list, taken: () => (gone ? reject(readerGone()) : resolve()) };
        wake?.();
      }),
  ).then(
    () => {
      ended = {};
      wake?.();
    },
    (error: unknown) => {
      ended = { error };
      wake?.();
    },
  );
  try {
    for (;;) {
      if (held !== undefined) {
        const { list, taken } = held;
        yield list;
        held = undefined;
        taken();
      } else if (ended !== undefined) break;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    gone = true;
    (held as { taken(): void } | undefined)?.taken();
    await running;
  }
  const { error } = ended as { readonly error?: unknown };
  if (error !== undefined) throw error;
}

function readerGone(): CancelledError {
  return new CancelledError('Nobody reads the stream any more.');
}
