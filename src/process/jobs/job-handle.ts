// A job under way: to be awaited, and to be killed. It settles when the job's process or thread is gone, so that
// whoever awaited it finds nothing of it left, no process and no connection.
import type { ErrorClass, JobAnswer } from './job-registry.ts';
import { deserializeError } from '../../errors/serialize.ts';
import { AthanorError, CancelledError, JobLostError, TimeoutError } from '../../errors/index.ts';

/** A job that was started. Awaiting it gives its result, or throws its error as the class it was. */
export interface JobHandle<R> extends Promise<R> {
  /** The number of its process; `undefined` for a thread, or where it did not start. */
  readonly pid: number | undefined;
  /** The number of its thread; `undefined` for a process. */
  readonly threadId: number | undefined;
  /** Ends it at once, a process by `signal` (default SIGTERM). False if it had ended. The handle then rejects with `JobLostError` (ATH_JOB_LOST). */
  kill(signal?: NodeJS.Signals): boolean;
}

/** A started process or thread, as the handle needs it. */
export interface JobCarrier {
  readonly pid: number | undefined;
  readonly threadId: number | undefined;
  /** Asks it to end; after the grace it is killed. */
  cancel(): void;
  kill(signal: NodeJS.Signals): boolean;
}

export interface JobEnd {
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  /** It could not be started, or failed from outside the job. */
  readonly cause?: unknown;
}

export interface JobLimits {
  /** The program's own error classes that the job may throw. */
  readonly errors: readonly ErrorClass[];
  readonly signal?: AbortSignal | undefined;
  readonly timeout?: number | undefined;
  /** How long a cancelled job, or one that answered, may take to end before it is killed, in milliseconds. */
  readonly grace: number;
}

export class RunningJob<R> implements JobHandle<R> {
  readonly #name: string;
  readonly #limits: JobLimits;
  readonly #promise: Promise<R>;
  #resolve!: (value: R) => void;
  #reject!: (error: unknown) => void;
  #carrier: JobCarrier | undefined;
  #answer: JobAnswer | undefined;
  #stopped: AthanorError | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #killer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(name: string, limits: JobLimits) {
    this.#name = name;
    this.#limits = limits;
    this.#promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get pid(): number | undefined {
    return this.#carrier?.pid;
  }
  get threadId(): number | undefined {
    return this.#carrier?.threadId;
  }
  get [Symbol.toStringTag](): string {
    return 'JobHandle';
  }

  /** It was started. */
  started(carrier: JobCarrier): void {
    this.#carrier = carrier;
    const { signal, timeout } = this.#limits;
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (timeout === undefined) return;
    this.#deadline = setTimeout(() => {
      this.#stop(new TimeoutError(`The job '${this.#name}' did not end within ${timeout} ms.`, { timeout }));
    }, timeout);
  }

  /** It could not be started. */
  refused(error: unknown): void {
    this.#ended = true;
    this.#reject(error);
  }

  /** It sent its answer, and is expected to end. */
  answered(answer: JobAnswer): void {
    if (this.#answer !== undefined) return;
    this.#answer = answer;
    this.#killLater();
  }

  /** It is gone. */
  ended(end: JobEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#deadline);
    clearTimeout(this.#killer);
    this.#limits.signal?.removeEventListener('abort', this.#onAbort);
    const answer = this.#answer;
    if (answer !== undefined && 'value' in answer) this.#resolve(answer.value as R);
    else if (answer !== undefined) this.#reject(this.#thrown(answer));
    else this.#reject(this.#stopped ?? this.#lost(end));
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): boolean {
    return !this.#ended && (this.#carrier?.kill(signal) ?? false);
  }

  // oxlint-disable-next-line unicorn/no-thenable -- a job is started to be awaited
  then<A = R, B = never>(
    onFulfilled?: ((value: R) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#promise.then(onFulfilled, onRejected);
  }
  catch<T = never>(onRejected?: ((reason: unknown) => T | PromiseLike<T>) | null): Promise<R | T> {
    return this.#promise.catch(onRejected);
  }
  finally(onFinally?: (() => void) | null): Promise<R> {
    return this.#promise.finally(onFinally);
  }

  readonly #onAbort = (): void => this.#stop(cancelledJob(this.#name, this.#limits.signal));

  #stop(error: AthanorError): void {
    if (this.#ended || this.#answer !== undefined || this.#stopped !== undefined) return;
    this.#stopped = error;
    this.#carrier?.cancel();
    this.#killLater();
  }

  #killLater(): void {
    clearTimeout(this.#killer);
    this.#killer = setTimeout(() => this.#carrier?.kill('SIGKILL'), this.#limits.grace);
  }

  #thrown({ error, errorClass = -1 }: Extract<JobAnswer, { readonly error: unknown }>): unknown {
    const thrown = deserializeError(error);
    const own = this.#limits.errors[errorClass];
    // What came is not trusted to be what it says: only a class the job's own module names is put on.
    if (own !== undefined && thrown instanceof Error) Object.setPrototypeOf(thrown, own.prototype as object);
    return thrown;
  }

  #lost({ exitCode, signal, cause }: JobEnd): JobLostError {
    const { pid, threadId } = this;
    const who = pid === undefined ? `thread ${threadId ?? '?'}` : `process ${pid}`;
    const how = signal === undefined ? `exit code ${exitCode ?? 'unknown'}` : signal;
    return new JobLostError(`The ${who} of the job '${this.#name}' ended without an answer: ${how}.`, {
      hint: 'What it was doing in a transaction is rolled back by the server, once it notices.',
      exitCode,
      signal,
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

/** The error of a job whose signal fired. */
export function cancelledJob(name: string, signal: AbortSignal | undefined): CancelledError {
  return new CancelledError(`The job '${name}' was cancelled.`, { cause: signal?.reason });
}
