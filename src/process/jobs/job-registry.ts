// Which jobs the modules of this process define, and whether this process, or thread, is itself one. Alone in its
// file, and free of imports, because a job's process must start quickly.

/** What a job is given before its arguments. */
export interface JobContext {
  /** The name it was defined by. */
  readonly name: string;
  /** Fires when the job is cancelled (threads), or the process that started it is gone. */
  readonly signal: AbortSignal;
}

export type JobFunction = (job: JobContext, ...args: never[]) => unknown;

/** A class of errors. */
export type ErrorClass = abstract new (...args: never[]) => Error;

/** What a module says of a job. */
export interface JobDefinition {
  readonly run: JobFunction;
  /** Error classes of the program's own that keep their class on the way back. */
  readonly errors: readonly ErrorClass[];
}

/** What starts a job in its own process or thread. */
export interface JobStart {
  readonly module: string;
  readonly name: string;
  readonly args: readonly unknown[];
}

/** How it ended: `error` is a record made by `serializeError`, `errorClass` the place of its class among the job's own. */
export type JobAnswer = { readonly value: unknown } | { readonly error: unknown; readonly errorClass?: number };

interface JobStage {
  /** `loading`: the job's module is being evaluated, and must not start jobs. */
  stage: 'none' | 'loading' | 'running';
  /** Sends an answer to whoever started this job. */
  answer: (answer: JobAnswer) => void;
}

/** The job this process or thread was started for. */
export const ownJob: JobStage = { stage: 'none', answer: () => {} };

const jobs = new Map<string, JobDefinition>();
const closers = new Set<() => Promise<unknown>>();

export function registerJob(module: string, name: string, definition: JobDefinition): void {
  jobs.set(`${module}\n${name}`, definition);
}

export function findJob({ module, name }: JobStart): JobDefinition | undefined {
  return jobs.get(`${module}\n${name}`);
}

/**
 * Closes a resource when the job of this process or thread has ended, so that it does not keep it alive. Does nothing
 * in a process that is no job's. The result takes it back.
 */
export function closeAfterJob(close: () => Promise<unknown>): () => void {
  if (ownJob.stage === 'none') return () => {};
  closers.add(close);
  return () => {
    closers.delete(close);
  };
}

/** Closes all that was registered. Never rejects: the job has its answer already. */
export async function closeResources(): Promise<void> {
  await Promise.allSettled([...closers].map((close) => close()));
}
