// When every connection is held by somebody who does nothing with it inside a transaction, those who wait may be the
// same tasks that hold: then nothing would ever move.
import type { Entry } from './entry.ts';

/** Whether every connection is out, inside a transaction, and has had nothing to do since `since`. */
export function allStand(entries: Iterable<Entry>, since: number): boolean {
  for (const entry of entries) {
    if (entry.state !== 'in use' || !entry.idleInTransaction || entry.activeAt > since) return false;
  }
  return true;
}
