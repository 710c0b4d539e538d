// The library's channels of `node:diagnostics_channel`. With nobody subscribed they cost a look at a field. What they
// carry is made to be read by strangers: no values of parameters, no secrets, nothing that could be used.
import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel';
import type { EngineFacts } from './engine-facts.ts';

/** On `athanor:connect`: a connection is opened. */
export interface ConnectTrace {
  readonly engine: EngineFacts;
  error?: unknown;
}

/** One statement of a batch. */
export interface TracedText {
  /** With placeholders where values are. */
  readonly sql: string;
  /** How many values go with it. */
  readonly parameters: number;
  /** How many parameter sets, where there are several. */
  readonly sets: number | undefined;
}

/** On `athanor:query`: a batch is sent, from one statement up, and answered. */
export interface QueryTrace {
  readonly engine: EngineFacts;
  readonly connectionId: string;
  /** Those the caller sent. Empty for what the library sends of its own: COMMIT, for one. */
  readonly statements: readonly TracedText[];
  /** All that goes over the wire, BEGIN and COMMIT included. */
  readonly texts: readonly string[];
  /** The same object as on `athanor:transaction`. */
  readonly transaction: TransactionTrace | undefined;
  /** Rows returned or affected by each of the statements; there when it was answered. */
  rows?: readonly (number | undefined)[];
  error?: unknown;
}

/** On `athanor:transaction`: from its BEGIN until it has ended. */
export interface TransactionTrace {
  readonly engine: EngineFacts;
  readonly connectionId: string;
  /** There when it has ended. */
  outcome?: 'commit' | 'rollback' | 'prepare' | 'unknown';
  error?: unknown;
}

/** On `athanor:pool:acquire`: somebody asks for a connection and gets it. */
export interface AcquireTrace {
  readonly engine: EngineFacts;
  /** There when it was got. */
  connectionId?: string;
  error?: unknown;
}

/** On `athanor:flush`: a session writes what was changed in it. */
export interface FlushTrace {
  /** The database's name. */
  readonly system: string;
  /** Statements, each of one table and kind. */
  readonly steps: number;
  readonly rows: number;
  error?: unknown;
}

function channelOf<Context extends object>(name: string): TracingChannel<unknown, Context> {
  return tracingChannel(name) as TracingChannel<unknown, Context>;
}

export const CONNECT: TracingChannel<unknown, ConnectTrace> = channelOf('athanor:connect');
export const QUERY: TracingChannel<unknown, QueryTrace> = channelOf('athanor:query');
export const TRANSACTION: TracingChannel<unknown, TransactionTrace> = channelOf('athanor:transaction');
export const ACQUIRE: TracingChannel<unknown, AcquireTrace> = channelOf('athanor:pool:acquire');

export const FLUSH: TracingChannel<unknown, FlushTrace> = channelOf('athanor:flush');

/** Publishes how what was started ended, in the order of `tracePromise`. */
export function ended<Context extends { error?: unknown }>(
  channel: TracingChannel<unknown, Context>,
  context: Context,
  error: unknown,
): void {
  if (error !== undefined) {
    context.error = error;
    channel.error.publish(context);
  }
  channel.asyncStart.publish(context);
  channel.asyncEnd.publish(context);
}
