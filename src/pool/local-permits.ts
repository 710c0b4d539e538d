// Permits counted within this process: the whole budget where no other process shares the server, and for databases
// without a server. First come, first served.
import { BudgetTimeoutError, CancelledError, PoolClosedError } from '../errors/index.ts';
import type { ServerIdentity } from '../driver/driver.ts';
import { type Clock, type ClockTimer, systemClock } from '../primitives/clock.ts';
import { Fifo, type FifoNode } from '../primitives/fifo.ts';
import type { Permit, PermitOptions, Permits, PermitsStatus } from './permits.ts';

export interface LocalPermitsOptions {
  /** How many connections may be open at once. Default 10. */
  readonly max?: number | undefined;
  /** How long a permit stays spent after its connection was dropped unseen by the server, in ms. Default 2000. */
  readonly linger?: number | undefined;
  readonly clock?: Clock | undefined;
}

interface Request {
  readonly grant: (permit: Permit) => void;
}

let counter = 0;

/** Counts permits in this process alone. */
export class LocalPermits implements Permits {
  onRecall: ((count: number) => void) | undefined = undefined;
  readonly #max: number;
  readonly #linger: number;
  readonly #clock: Clock;
  readonly #requests = new Fifo<Request>();
  readonly #refusals = new Set<() => void>();
  #held = 0;
  #closed = false;

  constructor(options: LocalPermitsOptions = {}) {
    this.#max = options.max ?? 10;
    this.#linger = options.linger ?? 2000;
    this.#clock = options.clock ?? systemClock;
  }

  get status(): PermitsStatus {
    return {
      budget: this.#max,
      most: this.#max,
      held: this.#held,
      waiting: this.#requests.size,
      text: `this process holds ${this.#held} of its ${this.#max} permits`,
    };
  }

  /** Rejects with `ATH_BUDGET_TIMEOUT` at the deadline, `ATH_CANCELLED` by the signal. */
  acquire(options: PermitOptions): Promise<Permit> {
    if (this.#closed) return Promise.reject(closed());
    if (options.signal?.aborted === true) return Promise.reject(cancelled(options.signal));
    if (this.#held < this.#max) return Promise.resolve(this.#grant());
    return this.#wait(options);
  }

  #wait({ signal, deadline }: PermitOptions): Promise<Permit> {
    return new Promise((resolve, reject) => {
      const asked = this.#clock.now();
      let timer: ClockTimer | undefined;
      const settle = (): void => {
        timer?.cancel();
        signal?.removeEventListener('abort', onAbort);
        this.#refusals.delete(onClose);
        node.remove();
      };
      const fail = (error: Error): void => {
        settle();
        reject(error);
      };
      const onAbort = (): void => fail(cancelled(signal));
      const onClose = (): void => fail(closed());
      const node: FifoNode<Request> = this.#requests.push({
        grant: (permit) => {
          settle();
          resolve(permit);
        },
      });
      this.#refusals.add(onClose);
      signal?.addEventListener('abort', onAbort);
      if (Number.isFinite(deadline)) {
        timer = this.#clock.timer(deadline - asked, () => fail(this.#late(asked)));
      }
    });
  }

  #late(asked: number): BudgetTimeoutError {
    const waited = Math.round(this.#clock.now() - asked);
    return new BudgetTimeoutError(`No permit became free within ${waited} ms: ${this.status.text}.`, {
      hint: 'Close connections sooner, or raise the budget.',
      outcome: 'not-sent',
    });
  }

  #grant(): Permit {
    this.#held += 1;
    counter += 1;
    return new LocalPermit(`${process.pid}.${counter}`, (clean) => this.#release(clean));
  }

  #release(clean: boolean): void {
    if (!clean && this.#linger > 0) {
      this.#clock.timer(this.#linger, () => this.#release(true), true);
      return;
    }
    this.#held -= 1;
    const next = this.#held < this.#max ? this.#requests.shift() : undefined;
    if (next !== undefined) next.grant(this.#grant());
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const refuse of [...this.#refusals]) refuse();
    return Promise.resolve();
  }
}

class LocalPermit implements Permit {
  readonly id: string;
  #release: ((clean: boolean) => void) | undefined;
  constructor(id: string, release: (clean: boolean) => void) {
    this.id = id;
    this.#release = release;
  }
  opened(_identity: ServerIdentity): void {}
  release(clean = true): void {
    const release = this.#release;
    this.#release = undefined;
    release?.(clean);
  }
}

function cancelled(signal: AbortSignal | undefined): CancelledError {
  return new CancelledError('Cancelled while waiting for a permit.', { cause: signal?.reason, outcome: 'not-sent' });
}

function closed(): PoolClosedError {
  return new PoolClosedError('The permits were closed.', { outcome: 'not-sent' });
}
