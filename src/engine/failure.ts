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
  // A driver knows the server's number for it; logs and holders go by the pool's.
  if (context.connectionId !== undefined) {
    set(translated, 'connectionId', { value: context.connectionId, enumerable: true });
  }
  if (translated instanceof DatabaseError && translated.statementIndex !== undefined && context.offset > 0) {
    set(translated, 'statementIndex', { value: Math.max(0, translated.statementIndex - context.offset) });
  }
  return withCaller(translated, context.site);
}

/** Adds the caller's lines to a stack that lacks them. Call it where the caller is awaiting. */
export function withCaller<E extends Error>(error: E, site: CallSite | undefined): E {
  const stack = error.stack ?? String(error);
  const lines = callerLines(new CallSite(withCaller, FRAMES).stack);
  if (lines.length === 0 && site !== undefined) lines.push(site.toString());
  const added = lines.filter((line) => !stack.includes(line)).map((line) => `\n    at ${line}`);
  if (added.length > 0) set(error, 'stack', { value: `${stack}${added.join('')}` });
  return error;
}

function set(error: Error, key: string, property: PropertyDescriptor): void {
  Object.defineProperty(error, key, { configurable: true, writable: true, enumerable: false, ...property });
}
