// Where sessions come from: one place that knows the engine and the options.
import type { Executor, WaitOptions } from '../../engine/executor.ts';
import type { IsolationLevel } from '../../dialect/dialect.ts';
import { retried } from '../../engine/retry.ts';
import { AthanorError, UsageError } from '../../errors/index.ts';
import { Session } from './session.ts';
import { SessionCore } from './session-core.ts';

/** How the transactions of a session begin. */
export interface SessionTransactionOptions {
  readonly isolation?: IsolationLevel | undefined;
  readonly readOnly?: boolean | undefined;
}

/** What a session can work on: an engine, or a connection whose transaction it joins. */
export interface SessionBind {
  /** An executor of its own for one session. */
  executor(options?: SessionTransactionOptions & WaitOptions): Executor;
}

export interface SessionOptions {
  readonly isolation?: IsolationLevel | undefined;
  /** Write what is pending before a query that could see it. Default `true`. */
  readonly autoflush?: boolean | undefined;
  /** Awaiting an unloaded relation is an error. Default `false`. */
  readonly strict?: boolean | undefined;
  /** Entities are not watched and never written; transactions are READ ONLY. Default `false`. */
  readonly readOnly?: boolean | undefined;
}

/** How the session of a scope begins, and how often its work may be run. */
export interface SessionBeginOptions extends SessionOptions, WaitOptions {
  /** How often the work may be run again. Default 0. */
  readonly retries?: number | undefined;
  /** Which failures are worth it. Default: errors of athanor that call themselves `retryable`. */
  readonly retryOn?: ((error: unknown) => boolean) | undefined;
}

/** Makes sessions: `Session()`, or `Session.begin(async (session) => ...)` for one that is committed and closed by itself. */
export interface SessionMaker {
  (options?: SessionOptions): Session;
  /**
   * A new session for `work`: committed at the end, rolled back if it throws, always closed. With `retries` the whole of it
   * is run again, in a new session, where the error says that this may help; `work` must then be free of other effects, or
   * bear their repetition. `timeout` and `signal` are for all of it.
   *
   * ```ts
   * await Session.begin(async (session) => { (await session.getOne(User, 1)).logins += 1; }, { retries: 3 });
   * ```
   */
  begin<T>(work: (session: Session) => PromiseLike<T>, options?: SessionBeginOptions): Promise<T>;
}

const KNOWN: ReadonlySet<string> = new Set([
  'bind',
  'isolation',
  'autoflush',
  'strict',
  'readOnly',
  'signal',
  'timeout',
]);

/** Throws `ATH_USAGE` for an unknown option. */
export function sessionmaker(defaults: SessionOptions & { readonly bind: SessionBind }): SessionMaker {
  check(defaults);
  if (typeof (defaults.bind as { executor?: unknown } | undefined)?.executor !== 'function') {
    throw new UsageError('sessionmaker() needs an engine: sessionmaker({ bind: engine }).');
  }
  const make = (options: SessionOptions = {}, wait: WaitOptions = {}): Session => {
    check(options);
    const { isolation, autoflush = true, strict = false, readOnly = false } = { ...defaults, ...options };
    const executor = defaults.bind.executor({ isolation, readOnly: readOnly ? true : undefined, ...wait });
    const session = new Session(new SessionCore(executor, { autoflush, readOnly }));
    session.strict = strict;
    return session;
  };
  const once = async <T>(
    work: (session: Session) => PromiseLike<T>,
    { signal, timeout, ...options }: SessionOptions & WaitOptions,
  ): Promise<T> => {
    const session = make(options, { signal, timeout });
    try {
      return await session.begin(work);
    } finally {
      await session[Symbol.asyncDispose]();
    }
  };
  const begin = <T>(
    work: (session: Session) => PromiseLike<T>,
    { retries, retryOn = isRetryable, ...options }: SessionBeginOptions = {},
  ): Promise<T> => {
    if (retries === undefined || retries === 0) return once(work, options);
    const { signal, timeout } = options;
    const until = timeout === undefined ? undefined : performance.now() + timeout;
    const left = (): number | undefined => (until === undefined ? undefined : Math.max(0, until - performance.now()));
    return retried(() => once(work, { ...options, timeout: left() }), { retries, retryOn, signal, timeout });
  };
  return Object.assign((options?: SessionOptions) => make(options), { begin });
}

function isRetryable(error: unknown): boolean {
  return error instanceof AthanorError && error.retryable;
}

function check(options: object): void {
  const unknown = Object.keys(options).filter((key) => !KNOWN.has(key));
  if (unknown.length === 0) return;
  throw new UsageError(`Unknown option of a session: ${unknown.join(', ')}.`, {
    hint: `It takes ${[...KNOWN].join(', ')}.`,
  });
}
