// Who looks on at one engine: a log, listeners, or subscribers of a channel. It is asked once a statement, and only
// where somebody does is anything made that they could be told.
import type { ConnectOptions, DriverConnection } from '../../driver/driver.ts';
import { AthanorError, ConnectError } from '../../errors/index.ts';
import type { Tracer } from '../tracer.ts';
import { ACQUIRE, type AcquireTrace, CONNECT, ended, QUERY, TRANSACTION } from './channels.ts';
import type { ErrorEvent } from './engine-events.ts';
import type { EngineFacts } from './engine-facts.ts';
import type { EventHub } from './event-hub.ts';

export interface EngineWatchOptions {
  readonly facts: EngineFacts;
  readonly hub: EventHub;
  readonly tracer: Tracer | undefined;
  /** Replaces every connection that is open now. */
  readonly invalidate: () => void;
}

export class EngineWatch {
  readonly facts: EngineFacts;
  readonly hub: EventHub;
  readonly tracer: Tracer | undefined;
  readonly invalidate: () => void;

  constructor({ facts, hub, tracer, invalidate }: EngineWatchOptions) {
    this.facts = facts;
    this.hub = hub;
    this.tracer = tracer;
    this.invalidate = invalidate;
  }

  /** Whether nobody looks on at statements, by way of this hub or of the engine's own. */
  idle(hub: EventHub): boolean {
    return this.tracer === undefined && hub.quiet && !QUERY.hasSubscribers && !TRANSACTION.hasSubscribers;
  }

  /** Somebody waits for a connection. */
  acquire<L extends { readonly connectionId: string }>(lease: Promise<L>): Promise<L> {
    if (!ACQUIRE.hasSubscribers) return lease;
    const context: AcquireTrace = { engine: this.facts };
    ACQUIRE.start.publish(context);
    ACQUIRE.end.publish(context);
    lease.then(
      ({ connectionId }) => {
        context.connectionId = connectionId;
        ended(ACQUIRE, context, undefined);
      },
      (error: unknown) => ended(ACQUIRE, context, error),
    );
    return lease;
  }

  /** A connection lay ready. */
  acquired(connectionId: string): void {
    if (!ACQUIRE.hasSubscribers) return;
    const context: AcquireTrace = { engine: this.facts, connectionId };
    ACQUIRE.start.publish(context);
    ACQUIRE.end.publish(context);
    ended(ACQUIRE, context, undefined);
  }

  /** Opens a connection before those who look on. */
  connect(
    options: ConnectOptions,
    open: (options: ConnectOptions) => Promise<DriverConnection>,
  ): Promise<DriverConnection> {
    const work = this.hub.quiet ? () => open(options) : () => this.#connect(options, open);
    if (!CONNECT.hasSubscribers) return work();
    return CONNECT.tracePromise(work, { engine: this.facts });
  }

  /** What the caller gets in place of an error. */
  replaced(event: ErrorEvent, hub: EventHub = this.hub): Error {
    const given = event.error;
    try {
      hub.call('handleError', event);
    } catch (error) {
      return error as Error;
    }
    return withCause(event.error, given);
  }

  async #connect(
    options: ConnectOptions,
    open: (options: ConnectOptions) => Promise<DriverConnection>,
  ): Promise<DriverConnection> {
    let asked = options;
    for (const listener of this.hub.of('doConnect')) {
      const change = await refusing(() => listener({ engine: this.facts, options: asked }));
      if (change !== undefined && 'connection' in change) return change.connection;
      // The pool's own signal and deadline stay: they end what nobody waits for any more.
      if (change !== undefined) asked = { ...change.options, signal: options.signal, timeout: options.timeout };
    }
    return open(asked);
  }
}

/** What a listener throws is why there is no connection. */
async function refusing<T>(listen: () => T | Promise<T>): Promise<T> {
  try {
    return await listen();
  } catch (error) {
    if (error instanceof AthanorError) throw error;
    throw new ConnectError('A listener of doConnect refused the connection.', { cause: error, outcome: 'not-sent' });
  }
}

/** An error that took another's place says which, unless it has said so. */
export function withCause(error: Error, cause: Error): Error {
  if (error !== cause && error.cause === undefined && Object.isExtensible(error)) {
    Object.defineProperty(error, 'cause', { value: cause, configurable: true, writable: true });
  }
  return error;
}
