// The first module of a job's process or thread: loads the module that defines the job, runs it, sends the answer and
// gets out of the way. It installs no signal handlers and writes nothing.
import { isMainThread, type MessagePort, workerData } from 'node:worker_threads';
import { closeResources, findJob, type JobAnswer, type JobDefinition, type JobStart, ownJob } from './job-registry.ts';

/** What a thread is started with. */
export interface JobThreadData {
  readonly athanorJob: JobStart;
  readonly port: MessagePort;
}
/** What a process is sent first, and what comes back; on a thread's own port the answer travels bare. */
export interface JobStartMessage {
  readonly athanorJob: JobStart;
}
export interface JobAnswerMessage {
  readonly athanorAnswer: JobAnswer;
}

/** What the job left open keeps its process alive no longer than this, in milliseconds. */
const LINGER = 500;

ownJob.stage = 'loading';
const cancelled = new AbortController();
/** Settles when the answer has left the process. */
let sent: Promise<void> = Promise.resolve();

async function perform(start: JobStart): Promise<void> {
  let job: JobDefinition | undefined;
  try {
    await import(start.module);
    ownJob.stage = 'running';
    job = findJob(start);
    if (job === undefined) await answerMissing(start);
    else {
      const context = { name: start.name, signal: cancelled.signal };
      await answerValue(start, await job.run(context, ...(start.args as never[])));
    }
  } catch (error) {
    await answerError(error, job?.errors);
  }
  await sent;
  setTimeout(() => process.exit(), LINGER).unref();
  await closeResources();
}

async function answerValue({ name }: JobStart, value: unknown): Promise<void> {
  try {
    ownJob.answer({ value });
  } catch (cause) {
    const { AthanorError, NotTransferableError } = await import('../../errors/index.ts');
    if (cause instanceof AthanorError) throw cause;
    const reason = cause instanceof Error ? cause.message : 'it cannot be cloned';
    throw new NotTransferableError(`The result of the job '${name}' cannot be sent: ${reason}`, {
      hint: 'Return plain data: a key, a record, a descriptor.',
      cause,
    });
  }
}

// What only a failure needs is loaded by a failure.
async function answerError(error: unknown, own: JobDefinition['errors'] = []): Promise<void> {
  const { serializeError } = await import('../../errors/serialize.ts');
  const prototype: unknown = error instanceof Error ? Object.getPrototypeOf(error) : undefined;
  const errorClass = own.findIndex((one) => one.prototype === prototype);
  ownJob.answer({ error: serializeError(error), ...(errorClass === -1 ? {} : { errorClass }) });
}

async function answerMissing({ module, name }: JobStart): Promise<void> {
  const { UsageError } = await import('../../errors/index.ts');
  const hint = 'Call defineJob at the top level of the module whose import.meta.url it is given.';
  await answerError(new UsageError(`The module ${module} defines no job '${name}'.`, { hint }));
}

if (isMainThread) {
  ownJob.answer = (answer) => {
    // Without a channel nobody waits for an answer any more.
    if (!process.connected) return;
    let done = (): void => {};
    sent = new Promise((resolve) => {
      done = resolve;
    });
    process.send?.({ athanorAnswer: answer } satisfies JobAnswerMessage, undefined, undefined, () => done());
  };
  process.once('disconnect', () => cancelled.abort());
  process.once('message', (message) => {
    void perform((message as JobStartMessage).athanorJob).then(() => {
      if (process.connected) process.disconnect();
    });
  });
} else {
  const { athanorJob, port } = workerData as JobThreadData;
  ownJob.answer = (answer) => port.postMessage(answer);
  // Listening keeps the thread alive until the job has answered, whatever it waits for.
  port.on('message', () => cancelled.abort());
  void perform(athanorJob).then(() => port.close());
}
