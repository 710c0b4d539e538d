// Drivers announce here that a database answered them, and which one. Whoever wants to know what a piece of code really
// reached (a test harness, a tracer) subscribes; with nobody listening it costs one property read.
import { channel } from 'node:diagnostics_channel';

/** One batch that a database answered. */
export interface Submission {
  /** The dialect's name for the database. */
  readonly database: string;
  /** The version of its server, if the driver knows it. */
  readonly version?: string | undefined;
}

const CHANNEL = channel('athanor:driver:submit');

/** Publishes on the channel `athanor:driver:submit` of `node:diagnostics_channel`: once a batch, after its first statement was answered. */
export function announceSubmission(submission: Submission): void {
  if (CHANNEL.hasSubscribers) CHANNEL.publish(submission);
}
