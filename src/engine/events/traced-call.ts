// A call that somebody follows: where it was made, and what was around it then. Statements of one tick start together,
// so that the context they run in is not the caller's.
import { AsyncLocalStorage } from 'node:async_hooks';
import { CallSite } from '../../primitives/call-site.ts';

export class TracedCall extends CallSite {
  /** Runs a function in the caller's asynchronous context. */
  readonly within: <T>(work: () => T) => T = AsyncLocalStorage.snapshot();
}
