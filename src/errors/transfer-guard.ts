// Engines, connections, sessions and statements live in one process and thread. V8 offers no hook for class instances
// that are cloned, but every channel (postMessage, workerData, structuredClone, advanced IPC) walks own enumerable
// properties: an object that carries this guard as one throws in the sender, at any depth. JSON is the one channel
// that asks first (toJSON), and the one that loggers use too, so there the caller decides.
import { NotTransferableError } from './process.ts';

/** The key of the guard on every object that must not leave its process and thread. */
export const NOT_TRANSFERABLE = 'athanor:not-transferable';

/** Shared by all instances of a class: one data property per instance, one throwing getter in the whole program. */
export interface TransferGuard {
  /** What `toJSON` of the guarded object gives: throws when the process channel asks, else `status`. */
  json(status: Readonly<Record<string, unknown>>): Record<string, unknown>;
}

/**
 * Makes the guard for one kind of object. `what` names the kind, `instead` what to send in its place.
 *
 * A class carries it as a field: `readonly [NOT_TRANSFERABLE]: TransferGuard = GUARD`.
 */
export function transferGuard(what: string, instead: string): TransferGuard {
  const refuse = (): never => {
    throw new NotTransferableError(
      `${what} belongs to the process and thread that made it and cannot be sent to another.`,
      { hint: instead },
    );
  };
  const guard: TransferGuard = {
    json: (status) => (calledByProcessChannel() ? refuse() : { object: what, ...status }),
  };
  Object.defineProperty(guard, 'json', { enumerable: false });
  Object.defineProperty(guard, NOT_TRANSFERABLE, { get: refuse, enumerable: true });
  // Assertion libraries and loggers that look inside print one word instead of tripping over the getter.
  Object.defineProperty(guard, Symbol.for('nodejs.util.inspect.custom'), {
    value: () => '[not transferable]',
    enumerable: false,
  });
  return Object.freeze(guard);
}

/** `child.send` and `process.send` serialise inside this module of Node's; a logger does not. */
function calledByProcessChannel(): boolean {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 100;
  const { stack } = new Error('where');
  Error.stackTraceLimit = limit;
  return stack !== undefined && stack.includes('node:internal/child_process');
}
