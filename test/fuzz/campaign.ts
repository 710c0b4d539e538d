// Many conversations, one after the other, in this process: counts what happened, watches memory and what nobody
// caught, and stops at the first that went wrong.
import { inspect } from 'node:util';
import { type Conversation, makeConversation } from './conversation.ts';
import { play } from './play.ts';
import { shrink } from './shrink.ts';

export interface CampaignOptions {
  readonly messages: number;
  /** The seed of the first conversation. */
  readonly seed: number;
  /** From one seed to the next. */
  readonly step: number;
  readonly progress?: ((seed: number) => void) | undefined;
}

export interface CampaignReport {
  readonly conversations: number;
  readonly messages: number;
  readonly succeeded: number;
  readonly failed: number;
  /** The longest the driver was busy with one piece of what came, in ms of processor time. */
  readonly longest: number;
  /** Resident memory at most, less what it was after warming up, in bytes. */
  readonly growth: number;
  readonly failure: string | undefined;
}

/** Conversations before memory is taken for what it is. */
const WARM = 2_500;
const SAMPLE = 50;

/** What reached the process though it was somebody's. */
class Uncaught {
  first: string | undefined;
  readonly #note = (error: unknown): void => {
    this.first ??= `reached the process: ${inspect(error)}`;
  };

  constructor() {
    process.on('uncaughtException', this.#note);
    process.on('unhandledRejection', this.#note);
  }

  end(): void {
    process.off('uncaughtException', this.#note);
    process.off('unhandledRejection', this.#note);
  }
}

async function failureOf(plan: Conversation, uncaught: Uncaught): Promise<string | undefined> {
  uncaught.first = undefined;
  const { failure } = await play(plan);
  return failure ?? uncaught.first;
}

async function explained(plan: Conversation, failure: string, uncaught: Uncaught): Promise<string> {
  const smallest = await shrink(plan, async (candidate) => (await failureOf(candidate, uncaught)) !== undefined);
  const now = (await failureOf(smallest, uncaught)) ?? failure;
  return `conversation ${plan.seed}: ${failure}\n\nmade smaller: ${now}\n${inspect(smallest, { depth: 9, breakLength: 120 })}`;
}

/** Runs conversations until so many messages were sent, or one goes wrong. */
export async function campaign({ messages, seed, step, progress }: CampaignOptions): Promise<CampaignReport> {
  const uncaught = new Uncaught();
  const total = { conversations: 0, messages: 0, succeeded: 0, failed: 0, longest: 0, growth: 0 };
  let base = Number.POSITIVE_INFINITY;
  let failure: string | undefined;
  for (let at = seed; total.messages < messages && failure === undefined; at += step) {
    const plan = makeConversation(at);
    uncaught.first = undefined;
    const verdict = await play(plan);
    const wrong = verdict.failure ?? uncaught.first;
    if (wrong !== undefined) failure = await explained(plan, wrong, uncaught);
    total.conversations += 1;
    total.messages += verdict.messages;
    total.succeeded += verdict.succeeded;
    total.failed += verdict.failed;
    // The first ones are slow because nothing is compiled yet.
    if (total.conversations > WARM) total.longest = Math.max(total.longest, verdict.longest);
    if (total.conversations === WARM) base = process.memoryUsage.rss();
    if (total.conversations % SAMPLE !== 0) continue;
    progress?.(at);
    total.growth = Math.max(total.growth, process.memoryUsage.rss() - base);
    // Lets what was thrown past everybody arrive.
    await new Promise((resolve) => void setImmediate(resolve));
  }
  uncaught.end();
  return { ...total, failure };
}
