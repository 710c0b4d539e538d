// athanor/process: jobs, and the connection budget for those who wire it by hand.
export { type BudgetOptions, type BudgetScope, openBudget } from './process/budget.ts';
export { defineJob, type Job, type JobSettings } from './process/jobs/define-job.ts';
export { isMain } from './process/jobs/is-main.ts';
export type { JobHandle } from './process/jobs/job-handle.ts';
export type { JobContext } from './process/jobs/job-registry.ts';
export type { JobOptions } from './process/jobs/start-job.ts';
export type { MonitorSource } from './process/broker/monitor-source.ts';
export { type SharedPermit, SharedPermits } from './process/shared-permits.ts';
export { deserializeError, type SerializedError, serializeError } from './errors/serialize.ts';
