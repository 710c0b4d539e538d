// The rules a failure itself must keep: what it is, what it tells, and what it must not tell.
import { inspect } from 'node:util';
import { AthanorError, DatabaseError } from '../../src/errors/index.ts';

/** The letters of what must hold after every fault. */
export type Check = 'A' | 'B' | 'C' | 'D' | 'E' | 'F' | 'G';

export interface Violation {
  readonly check: Check;
  readonly text: string;
}

const OUTCOMES: readonly unknown[] = ['not-sent', 'failed', 'unknown', 'committed'];

/** Check D: an error of athanor's with all that a caller decides by. */
export function badError(error: unknown): string | undefined {
  if (!(error instanceof AthanorError)) return `not an error of athanor's: ${brief(error)}`;
  if (!/^ATH_[A-Z_]+$/.test(error.code)) return `a code that is none: ${String(error.code)}`;
  if (typeof error.retryable !== 'boolean') return `${error.code} does not say whether it may be retried`;
  if (error.outcome === undefined && !(error instanceof DatabaseError)) return undefined;
  if (!OUTCOMES.includes(error.outcome)) return `${error.code} does not say its outcome: ${brief(error)}`;
  if (error.outcome !== 'not-sent' && error.connectionId === undefined)
    return `${error.code} (${error.outcome}) does not name its connection: ${brief(error)}`;
  if (error.outcome === 'unknown' && error.retryable) return `${error.code} calls an unknown outcome retryable`;
  return undefined;
}

/** Check F: everything an error shows to whoever prints it. */
export function shownBy(error: unknown): string {
  const parts = [inspect(error, { depth: 12 }), String(error)];
  if (error instanceof Error) parts.push(error.message, error.stack ?? '');
  try {
    parts.push(JSON.stringify(error) ?? '');
  } catch {
    // What refuses to be JSON shows nothing that way.
  }
  return parts.join('\n');
}

function brief(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message.split('\n', 1)[0]}` : inspect(error);
}
