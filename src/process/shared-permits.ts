// Permits from a broker that counts for all processes: what a pool asks when it opens a connection. It keeps one line
// to the broker, finds the next broker when one dies, and never uses a permit no broker has accounted for.
import type { Socket } from 'node:net';
import { dirname } from 'node:path';
import { threadId } from 'node:worker_threads';
import type { ServerIdentity } from '../driver/driver.ts';
import { AthanorError, BrokerLostError, BudgetTimeoutError, CancelledError, PoolClosedError } from '../errors/index.ts';
import { deserializeError } from '../errors/serialize.ts';
import type { Permit, PermitOptions, Permits, PermitsStatus } from '../pool/permits.ts';
import { hostBroker, isHosting, leaveFolder, useFolder } from './broker/broker-host.ts';
import { BudgetFolder, type Member } from './meeting/budget-folder.ts';
import { ClientLine } from './client-line.ts';
import { disinherit } from './meeting/inheritance.ts';
import { atExit } from './at-exit.ts';
import type { BrokerMessage, PermitRecord } from './messages.ts';
import type { MonitorSource } from './broker/monitor-source.ts';
import { sessionName } from './broker/permit-ledger.ts';
import { privateFolder } from './meeting/private-folder.ts';
import { budgetTimeout } from './refusal.ts';
import { findBroker } from './meeting/rendezvous.ts';

export interface SharedPermitsOptions {
  /** The folder where the processes under this budget meet. */
  readonly folder: string;
  readonly monitor: MonitorSource;
  /** The budget by number; `undefined` leaves it to the server's limits. */
  readonly limit?: number | undefined;
  /** What this process is called in messages to people. */
  readonly application?: string | undefined;
  /** Whether descendants rely on this thread to serve: it joins at once and stays. */
  readonly owner?: boolean | undefined;
  /** How long a lost broker is waited for, in milliseconds. Default 10000. */
  readonly lease?: number | undefined;
}

/** A permit of the shared budget. */
export interface SharedPermit extends Permit {
  /** What the connection must be called on the server, so that a broker that knows nobody can tell whose it is. */
  readonly applicationName: string;
}

interface Request {
  readonly asked: number;
  readonly deadline: number;
  readonly settle: (outcome: SharedPermit | Error) => void;
}

interface Held {
  identity: ServerIdentity | undefined;
}

/** A broker that answers late gets this long beyond the deadline, in milliseconds: its answer names the holders. */
const GRACE = 100;
const RETRY = 250;
/** How long a line outlives the last reason for it, in milliseconds. */
const REST = 1000;

/** Of this thread, by folder: those with a line that descendants may rely on. The first of them stays. */
const relied = new Map<string, Set<SharedPermits>>();

export class SharedPermits implements Permits {
  onRecall: ((count: number) => void) | undefined = undefined;
  readonly #options: SharedPermitsOptions;
  readonly #lease: number;
  #folder: BudgetFolder;
  readonly #requests = new Map<number, Request>();
  readonly #held = new Map<string, Held>();
  /** Given back while no broker was there, and not seen to be gone: the next one must know of them. */
  readonly #doubtful = new Map<string, Held>();
  readonly #closing = new AbortController();
  #unregister: (() => void) | undefined;
  #resting: NodeJS.Timeout | undefined;
  #line: ClientLine | undefined;
  #member: Member | undefined;
  #joining: Promise<void> | undefined;
  #epoch = 0;
  #budget: number | undefined;
  #budgetText = '';
  /** When the search for a broker began. */
  #lostAt = 0;
  #counter = 0;
  #trouble: unknown;

  /** Throws `UsageError` (ATH_USAGE) if the folder is not this user's alone. */
  constructor(options: SharedPermitsOptions) {
    this.#options = options;
    this.#lease = options.lease ?? 10_000;
    this.#folder = new BudgetFolder(options.folder);
    useFolder(options.folder);
    if (options.owner === true && (relied.get(options.folder)?.size ?? 0) === 0) {
      this.#enter();
      this.#join();
    }
  }

  get status(): PermitsStatus {
    const [held, waiting, budget] = [this.#held.size, this.#requests.size, this.#budget];
    const total = budget === undefined ? 'a budget not known yet' : `a budget of ${budget}`;
    const broker = this.#line === undefined ? 'no broker' : isHosting(this.#folder.path) ? 'broker here' : 'broker';
    const details = this.#budgetText === '' ? '' : ` (${this.#budgetText})`;
    // One is the broker's own, and the last free one is for a process that has none.
    const most = budget === undefined ? undefined : Math.max(1, budget - 2);
    return { budget, most, held, waiting, text: `this process holds ${held} permits of ${total}${details}; ${broker}` };
  }

  /**
   * Rejects with `BudgetTimeoutError` (ATH_BUDGET_TIMEOUT) at the deadline, `BrokerLostError` (ATH_BROKER_LOST) where
   * no broker is to be had, `CancelledError` (ATH_CANCELLED) by the signal, and the server's own error where the
   * server can not be asked at all.
   */
  acquire({ signal, deadline }: PermitOptions): Promise<SharedPermit> {
    if (this.#closing.signal.aborted) return Promise.reject(closed());
    if (signal?.aborted === true) return Promise.reject(cancelled(signal));
    return new Promise((resolve, reject) => {
      this.#counter += 1;
      const number = this.#counter;
      const onAbort = (): void => {
        this.#line?.send({ type: 'cancel', request: number });
        settle(cancelled(signal));
      };
      const timer = setTimeout(() => settle(this.#late(asked)), untilDeadline(deadline));
      const settle = (outcome: SharedPermit | Error): void => {
        if (!this.#requests.delete(number)) return;
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#hold();
        this.#restLater();
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      };
      const asked = performance.now();
      const request = { asked, deadline, settle };
      signal?.addEventListener('abort', onAbort);
      this.#requests.set(number, request);
      this.#hold();
      if (this.#line === undefined) this.#join();
      else this.#want(number, request);
    });
  }

  /** Tells the broker that the server had no room, so that it looks again how much there is. */
  serverFull(): void {
    this.#line?.send({ type: 'full' });
  }

  /** Ends all waiting with `PoolClosedError` (ATH_POOL_CLOSED). Settles when the line is closed and a broker of this process has retired, or serves others. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    clearTimeout(this.#resting);
    this.#unrely();
    for (const request of [...this.#requests.values()]) request.settle(closed());
    await this.#joining;
    if (this.#held.size === 0 && this.#doubtful.size === 0) this.#resign();
    this.#unregister?.();
    this.#line?.close();
    this.#line = undefined;
    if (await leaveFolder(this.#folder.path)) disinherit(threadId);
  }

  #want(number: number, { deadline }: Request): void {
    const wait = Math.max(0, Math.round(Math.min(deadline - performance.now(), 2 ** 31)));
    this.#line?.send({ type: 'want', request: number, wait });
  }

  /** With a line, the broker's own refusal comes first; this one speaks where it does not come. */
  #late(asked: number): Error {
    const waited = Math.round(performance.now() - asked);
    const cause = this.#trouble;
    const options = { outcome: 'not-sent', ...(cause === undefined ? {} : { cause }) } as const;
    if (this.#line === undefined) {
      return new BrokerLostError(`No broker of the connection budget could be reached within ${waited} ms.`, options);
    }
    return new BudgetTimeoutError(
      `Waited ${waited} ms for a connection permit; ${this.status.text}; the broker did not answer.`,
      options,
    );
  }

  /** Whether there is a reason to have a broker. */
  get #needed(): boolean {
    if (this.#closing.signal.aborted) return false;
    return this.#requests.size > 0 || this.#held.size > 0 || this.#doubtful.size > 0 || this.#stays;
  }

  /** One line of the thread is enough for its descendants. */
  get #stays(): boolean {
    const [first] = relied.get(this.#options.folder) ?? [];
    return first === this;
  }

  #rely(): void {
    if (this.#options.owner !== true) return;
    const all = relied.get(this.#options.folder) ?? new Set();
    relied.set(this.#options.folder, all.add(this));
  }

  /** The next one stays in its place. */
  #unrely(): void {
    const all = relied.get(this.#options.folder);
    if (all?.delete(this) !== true) return;
    const [next] = all;
    if (next === undefined) relied.delete(this.#options.folder);
    else if (next.#line === undefined) next.#join();
  }

  #join(): void {
    if (this.#joining === undefined) this.#lostAt = performance.now();
    this.#unregister ??= atExit(() => this.#atExit());
    this.#rely();
    this.#joining ??= this.#keepJoining().finally(() => {
      this.#joining = undefined;
    });
  }

  /** Until there is a line, or no reason for one. Never rejects. */
  async #keepJoining(): Promise<void> {
    const { signal } = this.#closing;
    while (this.#line === undefined && this.#needed) {
      const lease = this.#startLease();
      try {
        // The file comes first: a broker that starts from now on waits for this member.
        const member = this.#enter();
        const socket = await findBroker({
          folder: this.#folder,
          thread: threadId,
          serve: () => hostBroker(this.#folder.path, this.#options.monitor),
          signal: AbortSignal.any([signal, lease]),
        });
        if (signal.aborted) socket?.destroy();
        else if (socket === undefined) this.#leaseOver();
        else await this.#greet(member, this.#newLine(socket));
      } catch (error) {
        this.#trouble = error;
        if (!(error instanceof BrokerLostError)) this.#fail(unusable(error));
        await pause(RETRY);
        this.#reopenFolder();
      }
    }
    if (this.#line === undefined && !this.#needed) this.#resign();
  }

  /** Fires when waiting for a broker has no more sense for those who wait now. */
  #startLease(): AbortSignal {
    const left = this.#lostAt + this.#lease - performance.now();
    return AbortSignal.timeout(Math.max(RETRY, Math.ceil(left)));
  }

  #leaseOver(): void {
    const lost = new BrokerLostError(`No broker of the connection budget was found within ${this.#lease} ms.`, {
      hint: 'Open connections go on; none is opened until a broker is found. Is the main process stopped or blocked?',
      outcome: 'not-sent',
      ...(this.#trouble === undefined ? {} : { cause: this.#trouble }),
    });
    this.#fail(lost);
    this.#lostAt = performance.now();
  }

  #fail(error: Error): void {
    for (const request of [...this.#requests.values()]) request.settle(error);
  }

  #hooks(own: () => ClientLine): ConstructorParameters<typeof ClientLine>[1] {
    return {
      message: (message) => this.#hear(message),
      ended: () => {
        // One that was put to rest ends later than it was given up.
        if (this.#line !== own()) return;
        this.#line = undefined;
        if (this.#needed) this.#join();
        else this.#resign();
      },
    };
  }

  #newLine(socket: Socket): ClientLine {
    const line: ClientLine = new ClientLine(
      socket,
      this.#hooks(() => line),
    );
    return line;
  }

  async #greet(member: Member, line: ClientLine): Promise<void> {
    const welcome = await line.greet({
      type: 'hello',
      token: this.#folder.token,
      member: member.name,
      pid: process.pid,
      thread: threadId,
      epoch: this.#epoch,
      application: (this.#options.application ?? '').replace(/[^ -~]/g, '?').slice(0, 64),
      limit: this.#options.limit ?? null,
    });
    if (this.#closing.signal.aborted) {
      line.close();
      return;
    }
    this.#line = line;
    this.#epoch = welcome.epoch;
    this.#trouble = undefined;
    this.#reportHeld(line);
    for (const id of this.#doubtful.keys()) line.send({ type: 'closed', id, clean: false });
    this.#doubtful.clear();
    for (const [number, request] of this.#requests) this.#want(number, request);
    this.#hold();
    this.#restLater();
  }

  /** An engine that was disposed of, and perhaps forgotten, leaves nothing open behind: its next permit opens a new line. */
  #restLater(): void {
    clearTimeout(this.#resting);
    if (this.#line === undefined || this.#needed || this.#closing.signal.aborted) return;
    this.#resting = setTimeout(() => {
      const line = this.#line;
      if (line === undefined || this.#needed) return;
      this.#line = undefined;
      this.#resign();
      this.#unrely();
      this.#unregister?.();
      this.#unregister = undefined;
      line.close();
    }, REST);
    this.#resting.unref();
  }

  #reportHeld(line: ClientLine): void {
    const permits: PermitRecord[] = [];
    for (const [id, { identity }] of [...this.#held, ...this.#doubtful]) permits.push(permitRecord(id, identity));
    for (let from = 0; from === 0 || from < permits.length; from += 16) {
      line.send({ type: 'have', permits: permits.slice(from, from + 16), last: from + 16 >= permits.length });
    }
  }

  #hear(message: BrokerMessage): void {
    switch (message.type) {
      case 'grant':
        if (message.epoch === this.#epoch) this.#granted(message.request, message.id);
        break;
      case 'refuse': {
        const request = this.#requests.get(message.request);
        const error = message.error === null ? budgetTimeout(message.facts) : deserializeError(message.error);
        request?.settle(error as Error);
        break;
      }
      case 'recall':
        this.onRecall?.(message.count);
        break;
      case 'welcome':
        // Here and not after greet(): what comes in the same piece is newer.
        this.#budget = message.budget ?? undefined;
        break;
      case 'budget':
        this.#budget = message.budget;
        this.#budgetText = message.text;
        break;
      default:
        // After `denied` the line ends.
        break;
    }
  }

  #granted(number: number, id: string): void {
    if (this.#held.has(id)) return;
    const request = this.#requests.get(number);
    if (request === undefined) {
      this.#line?.send({ type: 'closed', id, clean: true });
      return;
    }
    const held: Held = { identity: undefined };
    this.#held.set(id, held);
    request.settle({
      id,
      applicationName: sessionName(this.#folder.tag, process.pid, id),
      opened: (identity) => {
        if (this.#held.get(id) !== held) return;
        held.identity = identity;
        this.#line?.send({ type: 'opened', ...permitRecord(id, identity), pid: identity.pid });
      },
      release: (clean = true) => this.#release(id, clean),
    });
  }

  #release(id: string, clean: boolean): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    this.#held.delete(id);
    if (this.#line !== undefined) this.#line.send({ type: 'closed', id, clean });
    else if (!clean) this.#doubtful.set(id, held);
    this.#restLater();
    if (this.#closing.signal.aborted && this.#held.size === 0) this.#resign();
  }

  /** Only a wait keeps the process alive. */
  #hold(): void {
    this.#line?.hold(this.#requests.size > 0);
  }

  /** It may have been swept away, and made anew by another process. */
  #reopenFolder(): void {
    try {
      privateFolder(dirname(this.#folder.path));
      this.#folder = new BudgetFolder(this.#folder.path);
    } catch (error) {
      this.#trouble = error;
    }
  }

  #enter(): Member {
    if (this.#member !== undefined && this.#folder.member(this.#member.name) === undefined) this.#member = undefined;
    this.#member ??= this.#folder.enter(threadId);
    return this.#member;
  }

  #resign(): void {
    if (this.#member !== undefined) this.#folder.forget(this.#member.name);
    this.#member = undefined;
  }

  /** A process that ends in order, with nothing half made, need not be found dead by the next broker. */
  #atExit(): void {
    for (const { identity } of this.#held.values()) if (identity === undefined) return;
    if (this.#doubtful.size === 0) this.#resign();
  }
}

function permitRecord(id: string, identity: ServerIdentity | undefined): PermitRecord {
  if (identity === undefined) return { id };
  const { pid, start } = identity;
  return start === undefined ? { id, pid } : { id, pid, start };
}

function untilDeadline(deadline: number): number {
  return Math.min(Math.max(0, deadline - performance.now()) + GRACE, 2 ** 31 - 1);
}

function pause(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, time).unref());
}

function cancelled(signal: AbortSignal | undefined): CancelledError {
  return new CancelledError('Cancelled while waiting for a connection permit.', {
    cause: signal?.reason,
    outcome: 'not-sent',
  });
}

/** A file system that refuses, a thread that does not start: what keeps this process from having a broker at all. */
function unusable(error: unknown): Error {
  if (error instanceof AthanorError) return error;
  return new BrokerLostError('The meeting place of the connection budget cannot be used.', {
    cause: error,
    outcome: 'not-sent',
  });
}

function closed(): PoolClosedError {
  return new PoolClosedError('The permits were closed.', { outcome: 'not-sent' });
}
