// Work for another process or thread, as a function: typed arguments in, a typed result out, errors as what they were.
import { UsageError } from '../../errors/index.ts';
import type { JobHandle } from './job-handle.ts';
import { type ErrorClass, type JobContext, type JobFunction, registerJob } from './job-registry.ts';
import { forkJob, type JobOptions, threadJob } from './start-job.ts';

/** What may be said of a job when it is defined, beside its name. */
export interface JobSettings {
  /** Unique in the module. */
  readonly name: string;
  /**
   * Error classes of the program's own. One of them that the job throws comes back as that class, with its name,
   * message, stack and plain properties; its constructor is not run again. Any other comes back as an `Error`.
   */
  readonly errors?: readonly ErrorClass[] | undefined;
}

/** A function that can be run in a process or thread of its own. */
export interface Job<A extends readonly unknown[], R> {
  readonly name: string;
  /** Runs it in a new process. */
  fork(...args: A): JobHandle<R>;
  /** Runs it in a new thread of this process. */
  worker(...args: A): JobHandle<R>;
  /** The same job with options for its next runs. */
  with(options: JobOptions): Job<A, R>;
}

/**
 * Defines a job at the top level of a module. The module is loaded anew where the job runs, so what starts jobs in it
 * stands behind `if (isMain(import.meta))`.
 *
 * A run rejects with the job's own error: as the class it was if that is athanor's, JavaScript's or one of
 * `settings.errors`, else as an `Error` with its name and plain properties; with `JobLostError` (ATH_JOB_LOST) if it ends without an answer,
 * `NotTransferableError` (ATH_NOT_TRANSFERABLE) if an argument or the result cannot be sent, `CancelledError`
 * (ATH_CANCELLED) or `TimeoutError` (ATH_TIMEOUT) by `with({ signal, timeout })`.
 *
 * @param module `import.meta.url` of the module that calls this.
 * @param named A name, unique in the module; or the name with settings: `{ name: 'brew', errors: [OutOfTea] }`.
 * @param run Gets the job's context, then the arguments as plain data.
 */
export function defineJob<A extends unknown[], R>(
  module: string,
  named: string | JobSettings,
  run: (job: JobContext, ...args: A) => R | PromiseLike<R>,
): Job<A, R> {
  const { name, errors = [] }: JobSettings = typeof named === 'string' ? { name: named } : named;
  if (!URL.canParse(module)) {
    throw new UsageError(`The job '${name}' is defined for '${module}', which is no URL.`, {
      hint: 'Give import.meta.url as the first argument.',
    });
  }
  // Its arguments come from `fork` and `worker`, which take the same ones.
  registerJob(module, name, { run: run as unknown as JobFunction, errors });
  return makeJob(module, name, {});
}

function makeJob<A extends unknown[], R>(module: string, name: string, options: JobOptions): Job<A, R> {
  return Object.freeze({
    name,
    fork: (...args: A): JobHandle<R> => forkJob({ module, name, args }, options),
    worker: (...args: A): JobHandle<R> => threadJob({ module, name, args }, options),
    with: (more: JobOptions): Job<A, R> => makeJob(module, name, { ...options, ...more }),
  });
}
