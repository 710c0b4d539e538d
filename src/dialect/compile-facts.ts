// When a text was made, and how long that took: what a log says of the cache. Kept beside the texts, for as long as they
// are there.
import type { StatementText } from '../driver/driver.ts';

export interface CompileFacts {
  /** By the monotonic clock. */
  readonly madeAt: number;
  /** Milliseconds. */
  readonly took: number;
}

const facts = new WeakMap<StatementText, CompileFacts>();

/** `undefined` for a text that was not compiled: raw SQL, or BEGIN. */
export function compileFacts(text: StatementText): CompileFacts | undefined {
  return facts.get(text);
}

/** Notes that a text was made, from `begun` until now. */
export function noteCompiled(text: StatementText, begun: number): void {
  const madeAt = performance.now();
  facts.set(text, { madeAt, took: madeAt - begun });
}

/** Notes that a text is another one with something added. */
export function noteDerived(text: StatementText, from: StatementText): void {
  const known = facts.get(from);
  if (known !== undefined) facts.set(text, known);
}
