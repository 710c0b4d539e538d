// What drivers announce while a test listens.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Submission } from '../../src/driver/submissions.ts';

const CHANNEL = 'athanor:driver:submit';

/** Listens until `end`, which gives what was announced. */
export function announced(): { end(): Submission[] } {
  const seen: Submission[] = [];
  const listen = (message: unknown): void => {
    seen.push(message as Submission);
  };
  subscribe(CHANNEL, listen);
  return {
    end() {
      unsubscribe(CHANNEL, listen);
      return seen;
    },
  };
}
