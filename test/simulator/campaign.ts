// Many schedules, one after the other, in this process, up to the first that breaks an invariant.
import { inspect } from 'node:util';
import { makeSchedule } from './schedule.ts';
import { simulate } from './simulate.ts';

export interface SimulationCampaign {
  readonly schedules: number;
  readonly steps: number;
  readonly committed: number;
  /** How often each thing happened to clients. */
  readonly happened: Readonly<Record<string, number>>;
  /** The seed of the schedule that failed, and what was wrong. */
  readonly failure: { readonly seed: number; readonly what: string } | undefined;
}

export interface SimulationOptions {
  readonly schedules: number;
  readonly seed: number;
  readonly step: number;
  readonly progress?: ((seed: number) => void) | undefined;
}

const SAMPLE = 100;

/** Runs so many schedules, or up to one that goes wrong. */
export async function simulations({ schedules, seed, step, progress }: SimulationOptions): Promise<SimulationCampaign> {
  const happened = new Map<string, number>();
  const total = { schedules: 0, steps: 0, committed: 0 };
  let reached: string | undefined;
  const note = (error: unknown): void => {
    reached ??= `reached the process: ${inspect(error)}`;
  };
  process.on('unhandledRejection', note);
  process.on('uncaughtException', note);
  let failure: SimulationCampaign['failure'];
  for (let at = seed; total.schedules < schedules && failure === undefined; at += step) {
    const report = await simulate(makeSchedule(at));
    const what = report.failure ?? reached;
    if (what !== undefined) failure = { seed: at, what };
    total.schedules += 1;
    total.steps += report.steps;
    total.committed += report.committed;
    for (const [name, count] of report.happened) happened.set(name, (happened.get(name) ?? 0) + count);
    if (total.schedules % SAMPLE === 0) progress?.(at);
  }
  process.off('unhandledRejection', note);
  process.off('uncaughtException', note);
  return { ...total, happened: Object.fromEntries(happened), failure };
}
