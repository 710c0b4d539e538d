// Those who wait for a connection, first come, first served. Each has its deadline and perhaps a signal; one timer
// serves them all, and there is none while nobody waits.
import type { CallSite } from '../primitives/call-site.ts';
import type { Clock, ClockTimer } from '../primitives/clock.ts';
import { Fifo, type FifoNode } from '../primitives/fifo.ts';
import { CancelledError, type HolderRecord } from '../errors/index.ts';
import type { Lease } from './lease.ts';
import type { TaskScope } from './task-scope.ts';

/** What a waiter brings. */
export interface WaitRequest {
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
  readonly scope: TaskScope | undefined;
  readonly site: CallSite | undefined;
  /** What the asking task holds of the same pool already. */
  readonly holding: readonly HolderRecord[];
}

export interface Waiter extends WaitRequest {
  readonly since: number;
  readonly deadline: number;
  resolve(lease: Lease): void;
  reject(error: Error): void;
}

export interface WaitingLineOptions {
  readonly clock: Clock;
  /** The longest time between two looks at the line, in ms. */
  readonly interval: number;
  /** What a waiter whose deadline passed is told; `late`, in ms: how long this process could not look. */
  expired(waiter: Waiter, late: number): Error;
  /** Looks at the line while somebody waits, at least once an interval. */
  look(now: number): void;
  /** A waiter left without having been served. */
  left(): void;
}

export class WaitingLine {
  readonly #options: WaitingLineOptions;
  readonly #line = new Fifo<Waiter>();
  #timer: ClockTimer | undefined;
  #due = Number.POSITIVE_INFINITY;

  constructor(options: WaitingLineOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#line.size;
  }

  /** The latest deadline of those who wait. */
  get deadline(): number {
    let latest = 0;
    for (const waiter of this.#line) latest = Math.max(latest, waiter.deadline);
    return latest;
  }

  [Symbol.iterator](): Iterator<Waiter> {
    return this.#line[Symbol.iterator]();
  }

  join(request: WaitRequest): Promise<Lease> {
    return new Promise((resolve, reject) => {
      const { signal } = request;
      const since = this.#options.clock.now();
      let node: FifoNode<Waiter> | undefined;
      const leave = (): void => {
        signal?.removeEventListener('abort', onAbort);
        node?.remove();
        if (this.#line.size === 0) this.#rest();
      };
      const onAbort = (): void => {
        waiter.reject(cancelledWait(signal));
        this.#options.left();
      };
      const waiter: Waiter = {
        ...request,
        since,
        deadline: since + request.timeout,
        resolve: (lease) => {
          leave();
          resolve(lease);
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      node = this.#line.push(waiter);
      signal?.addEventListener('abort', onAbort);
      this.#wake(Math.min(waiter.deadline, since + this.#options.interval));
    });
  }

  /** Takes the first out, to be resolved or rejected by the caller at once. */
  shift(): Waiter | undefined {
    return this.#line.shift();
  }

  rejectAll(make: () => Error): void {
    for (let waiter = this.#line.shift(); waiter !== undefined; waiter = this.#line.shift()) waiter.reject(make());
  }

  #wake(at: number): void {
    if (at >= this.#due) return;
    this.#timer?.cancel();
    this.#due = at;
    this.#timer = this.#options.clock.timer(at - this.#options.clock.now(), () => this.#look());
  }

  #rest(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#due = Number.POSITIVE_INFINITY;
  }

  #look(): void {
    const now = this.#options.clock.now();
    const late = Math.max(0, now - this.#due);
    this.#rest();
    let expired = false;
    let next = now + this.#options.interval;
    for (const waiter of this.#line) {
      if (waiter.deadline <= now) {
        waiter.reject(this.#options.expired(waiter, late));
        expired = true;
      } else next = Math.min(next, waiter.deadline);
    }
    if (expired) this.#options.left();
    if (this.#line.size > 0) this.#options.look(now);
    if (this.#line.size > 0) this.#wake(next);
  }
}

export function cancelledWait(signal: AbortSignal | undefined): CancelledError {
  return new CancelledError('Cancelled while waiting for a connection.', {
    cause: signal?.reason,
    outcome: 'not-sent',
  });
}
