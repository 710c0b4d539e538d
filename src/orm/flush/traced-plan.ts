// A flush before those who count what sessions write.
import { FLUSH, type FlushTrace } from '../../engine/events/channels.ts';
import type { Executor } from '../../engine/executor.ts';
import type { FlushPlan } from './flush-plan.ts';
import type { Returned } from './returned.ts';
import { type RunOptions, runPlan } from './run-plan.ts';

/** As `runPlan`, on the channel `athanor:flush`. */
export function tracedPlan(plan: FlushPlan, executor: Executor, options: RunOptions): Promise<Returned> {
  const context: FlushTrace = {
    system: executor.dialect.name,
    steps: plan.steps.length,
    rows: plan.steps.reduce((sum, { rows }) => sum + rows.length, 0),
  };
  return FLUSH.tracePromise(() => runPlan(plan, executor, options), context) as Promise<Returned>;
}
