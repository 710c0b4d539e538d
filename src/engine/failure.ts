// What a failed statement tells its caller: athanor's own class, the connection it happened on, and the caller's
// lines. The driver's stack ends at the socket; the way back to the caller is taken from the chain of awaits, which
// costs nothing until something fails.
import type { Dialect } from '../dialect/dialect.ts';
import type { DriverStatement } from '../driver/driver.ts';
import { type AthanorError, DatabaseError } from '../errors/index.ts';
import { CallSite, callerLines } from '../primitives/call-site.ts';

export interface FailureContext {
  readonly dialect: Dialect;
  readonly connectionId: string | undefined;
  /** Statements the caller does not know of that went before his. */
  readonly offset: number;
  readonly site: CallSite | undefined;
  /** All that was sent, as far as it was. */
  readonly batch?: readonly DriverStatement[] | undefined;
  /** The connection is gone. */
  readonly lost?: boolean | undefined;
}

const FRAMES = 50;

/** Completes the error of a batch. */
export function failed(error: unknown, context: FailureContext): AthanorError {
  const translated = context.dialect.translate(error);
  // A driver knows the server's number for it; logs and holders go by the pool's.
  if (context.connectionId !== undefined) {
    set(translated, 'connectionId', { value: context.connectionId, enumerable: true });
  }
  if (translated instanceof DatabaseError) withStatement(translated, context);
  return withCaller(translated, context.site);
}

/** Says which of the caller's statements it was, and with which values. */
function withStatement(error: DatabaseError, { batch, offset, lost }: FailureContext): void {
  if (lost === true) set(error, 'connectionInvalidated', { value: true, enumerable: true });
  const { statementIndex } = error;
  if (statementIndex === undefined) return;
  const statement = batch?.[statementIndex];
  if (statement !== undefined) set(error, 'params', { value: statement.sets ?? statement.params });
  if (offset > 0) set(error, 'statementIndex', { value: Math.max(0, statementIndex - offset) });
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
