// Starts a job in a child process or a worker thread. A thin layer over Node's own two ways: the arguments go over as
// plain data, the answer comes back as such, and nothing else is shared.
import { type ChildProcess, fork } from 'node:child_process';
import { serialize } from 'node:v8';
import { MessageChannel, Worker } from 'node:worker_threads';
import { AthanorError, NotTransferableError, StateError } from '../../errors/index.ts';
import { serializeError } from '../../errors/serialize.ts';
import { ownModule } from '../../primitives/own-module.ts';
import { inheritedVariables } from '../meeting/inheritance.ts';
import type { JobAnswerMessage, JobStartMessage, JobThreadData } from './job-child.ts';
import { cancelledJob, type JobHandle, RunningJob } from './job-handle.ts';
import { findJob, type JobAnswer, type JobStart, ownJob } from './job-registry.ts';

export interface JobOptions {
  /** Cancels the job: its process gets SIGTERM, its thread's `job.signal` fires; after `grace` it is killed. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until it is cancelled. */
  readonly timeout?: number | undefined;
  /** How long a job that was cancelled, or has answered, may take to end, in milliseconds. Default 5000. */
  readonly grace?: number | undefined;
  /** Flags of Node for the process or thread; default those of this one. */
  readonly execArgv?: readonly string[] | undefined;
  /** The environment, instead of a copy of this process's. The budget's variables are added. */
  readonly env?: NodeJS.ProcessEnv | undefined;
}

/** The first module of a job. */
const CHILD = 'process/jobs/job-child';
const GRACE = 5000;
/** After the end of a process or thread its last message may still be on the way. Milliseconds. */
const LAST_MESSAGE = 1000;

export function forkJob<R>(start: JobStart, options: JobOptions): JobHandle<R> {
  return begin<R>(start, options, { copy: serialize, launch: startProcess });
}

export function threadJob<R>(start: JobStart, options: JobOptions): JobHandle<R> {
  return begin<R>(start, options, { copy: structuredClone, launch: startThread });
}

interface Way {
  /** Makes the copy the channel would make. */
  readonly copy: (value: unknown) => unknown;
  readonly launch: <R>(job: RunningJob<R>, start: JobStart, options: JobOptions) => void;
}

function begin<R>(start: JobStart, options: JobOptions, { copy, launch }: Way): JobHandle<R> {
  refuseWhileLoading(start.name);
  const { signal, timeout, grace = GRACE } = options;
  const job = new RunningJob<R>(start.name, { signal, timeout, grace, errors: findJob(start)?.errors ?? [] });
  try {
    if (signal?.aborted === true) throw cancelledJob(start.name, signal);
    checkTransferable(start, copy);
    launch(job, start, options);
  } catch (error) {
    job.refused(error);
  }
  return job;
}

/** A module that starts a job while it is loaded for one would do so again in that one, without end. */
function refuseWhileLoading(name: string): void {
  if (ownJob.stage !== 'loading') return;
  const error = new StateError(`The job '${name}' was started while a job's module was being loaded in its process.`, {
    hint: 'The module is loaded anew in every job. Start jobs only `if (isMain(import.meta))`.',
  });
  // Told at once: what is thrown here may be lost in a promise nobody awaits.
  ownJob.answer({ error: serializeError(error) });
  throw error;
}

function checkTransferable({ name, args }: JobStart, copy: Way['copy']): void {
  for (const [index, argument] of args.entries()) {
    if (typeof argument !== 'object' && typeof argument !== 'function' && typeof argument !== 'symbol') continue;
    try {
      copy(argument);
    } catch (cause) {
      if (cause instanceof AthanorError) throw cause;
      const reason = cause instanceof Error ? cause.message : 'it cannot be cloned';
      throw new NotTransferableError(`Argument ${index + 1} of the job '${name}' cannot be sent: ${reason}`, {
        hint: 'Send plain data: a key, a record, a descriptor.',
        cause,
      });
    }
  }
}

function startProcess<R>(job: RunningJob<R>, start: JobStart, options: JobOptions): void {
  const child = fork(ownModule(CHILD), [], {
    serialization: 'advanced',
    ...(options.execArgv === undefined ? {} : { execArgv: [...options.execArgv] }),
    ...(options.env === undefined ? {} : { env: { ...inheritedVariables(), ...options.env } }),
  });
  job.started({
    pid: child.pid,
    threadId: undefined,
    cancel: () => child.kill('SIGTERM'),
    kill: (signal) => child.kill(signal),
  });
  child.on('message', (message) => {
    const answer = (message as Partial<JobAnswerMessage> | null)?.athanorAnswer;
    if (answer !== undefined) job.answered(answer);
  });
  child.on('error', (cause) => {
    if (child.pid === undefined) job.ended({ cause });
  });
  child.on('exit', (code, signal) => {
    void lastMessage(child).then(() => job.ended({ exitCode: code ?? undefined, signal: signal ?? undefined }));
  });
  // A child that dies before it reads this is seen by its exit.
  child.send({ athanorJob: start } satisfies JobStartMessage, () => {});
}

/** Settles when the channel of a process that has ended has nothing more to say. */
function lastMessage(child: ChildProcess): Promise<void> {
  if (!child.connected) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LAST_MESSAGE);
    child.once('disconnect', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function startThread<R>(job: RunningJob<R>, start: JobStart, options: JobOptions): void {
  const { port1: port, port2 } = new MessageChannel();
  let failure: unknown;
  const data: JobThreadData = { athanorJob: start, port: port2 };
  const thread = new Worker(ownModule(CHILD), {
    workerData: data,
    transferList: [port2],
    ...(options.execArgv === undefined ? {} : { execArgv: [...options.execArgv] }),
    ...(options.env === undefined ? {} : { env: { ...inheritedVariables(), ...options.env } }),
  });
  const { threadId } = thread;
  job.started({
    pid: undefined,
    threadId,
    cancel: () => port.postMessage('cancel'),
    kill: () => {
      void thread.terminate();
      return true;
    },
  });
  port.on('message', (answer: JobAnswer) => job.answered(answer));
  thread.on('error', (error) => {
    failure = error;
  });
  // The port delivers what was sent before the end, then closes: before the thread's exit, or after.
  const silent = new Promise<void>((resolve) => port.once('close', resolve));
  thread.on('exit', (code) => {
    // Closing this end now would drop what has not been read yet.
    const timer = setTimeout(() => port.close(), LAST_MESSAGE);
    void silent.then(() => {
      clearTimeout(timer);
      job.ended({ exitCode: code, cause: failure });
    });
  });
}
