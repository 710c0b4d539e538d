// What a failed statement tells its caller: athanor's own class, the connection it happened on, and the caller's
// lines. The driver's stack ends at the socket; the way back to the caller is taken from the chain of awaits, which
// costs nothing until something fails.
import type { Dialect } from '../dialect/dialect.ts';
import { type AthanorError, DatabaseError } from '../errors/index.ts';
import { CallSite, callerLines } from '../primitives/call-site.ts';

export interface FailureContext {
  readonly dialect: Dialect;
  readonly connectionId: string | undefined;
  /** Statements the caller does not know of that went before his. */
  readonly offset: number;
  readonly site: CallSite | undefined;
}

const FRAMES = 50;

/** Completes the error of a batch. */
export function failed(error: unknown, context: FailureContext): AthanorError {
  const translated = context.dialect.translate(error);
  if (translated.connectionId === undefined && context.connectionId !== undefined) {
    set(translated, 'connectionId', context.connectionId, true);
  }
  if (translated instanceof DatabaseError && translated.statementIndex !== undefined && context.offset > 0) {
    set(translated, 'statementIndex', Math.max(0, translated.statementIndex - context.offset), false);
  }
  return withCaller(translated, context.site);
}

/** Adds the caller's lines to a stack that has none. Call it where the caller is awaiting. */
export function withCaller<E extends Error>(error: E, site: CallSite | undefined): E {
  if (callerLines(error.stack).length > 0) return error;
  const lines = callerLines(new CallSite(withCaller, FRAMES).stack);
  if (lines.length === 0 && site !== undefined) lines.push(site.toString());
  if (lines.length === 0) return error;
  const stack = `${error.stack ?? String(error)}\n${lines.map((line) => `    at ${line}`).join('\n')}`;
  set(error, 'stack', stack, false);
  return error;
}

function set(error: Error, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(error, key, { value, enumerable, configurable: true, writable: true });
}
