// What other sessions announce, as an iterator. It has a connection of its own from the pool, under the budget like any
// other, and finds itself a new one when that is lost; what was announced meanwhile is gone, and it says so.
import type { Dialect, NotifySql } from '../../dialect/dialect.ts';
import type { DriverConnection, DriverStatement, Sink } from '../../driver/driver.ts';
import {
  type AthanorError,
  NOT_TRANSFERABLE,
  PoolClosedError,
  type TransferGuard,
  transferGuard,
  UnsupportedError,
  UsageError,
} from '../../errors/index.ts';
import type { Lease } from '../../pool/lease.ts';
import type { Pool } from '../../pool/pool.ts';
import type { CallSite } from '../../primitives/call-site.ts';
import { Fifo } from '../../primitives/fifo.ts';
import { submitWithin } from '../submit-within.ts';
import { plainStatement } from '../transaction-texts.ts';

/** One announcement, or the word that some may be missing: then whatever was learnt from them is stale. */
export type ListenEvent =
  | { readonly gap: false; readonly channel: string; readonly payload: string; readonly pid: number }
  | { readonly gap: true; readonly reason: 'reconnected' | 'overflow' };

export interface ListenOptions {
  /** Ends the listening. */
  readonly signal?: AbortSignal | undefined;
  /** Announcements kept for a reader who does not come; beyond it the oldest go, and a gap is told. Default 1000. */
  readonly maxBuffer?: number | undefined;
  /** A silent connection is asked for a sign of life this often, in ms. Default 30000. */
  readonly pingInterval?: number | undefined;
}

export interface ListenSource {
  readonly dialect: Dialect;
  readonly pool: Pool;
  /** Who listens, where somebody wants to know. */
  readonly site: CallSite | undefined;
}

const GUARD = transferGuard('A listener', 'Let the other side listen by itself: engine.listen().');
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 5_000;
const ANSWER_WITHIN = 5_000;
const SILENT: Sink = Object.freeze({ row: () => undefined });
const PING = plainStatement('select 1');

/** Announcements on some channels, until it is closed. `for await (const event of listener)`. */
export class Listener implements AsyncIterableIterator<ListenEvent> {
  readonly [NOT_TRANSFERABLE]: TransferGuard = GUARD;
  readonly #source: ListenSource;
  readonly #sql: NotifySql;
  readonly #statements: readonly DriverStatement[];
  readonly #options: ListenOptions;
  readonly #most: number;
  readonly #buffer = new Fifo<ListenEvent>();
  readonly #ending = new AbortController();
  readonly #done: Promise<void>;
  readonly #onAbort = (): void => void this.close();
  #gap: 'reconnected' | 'overflow' | undefined;
  #error: unknown;
  #ended = false;
  #wake: (() => void) | undefined;
  #ready: Promise<void>;

  /** @internal */
  constructor(source: ListenSource, channels: readonly string[], options: ListenOptions) {
    const { notify } = source.dialect;
    if (notify === undefined) throw new UnsupportedError('This database has no announcements to listen to.');
    if (channels.length === 0) throw new UsageError('listen() needs a channel.');
    const { maxBuffer = 1_000, signal } = options;
    if (!(maxBuffer >= 1)) throw new UsageError(`maxBuffer must be a number from 1 up, not ${String(maxBuffer)}.`);
    this.#source = source;
    this.#sql = notify;
    this.#statements = channels.map((channel) => plainStatement(notify.listen(channel)));
    this.#options = options;
    this.#most = maxBuffer;
    let ready = (): void => undefined;
    let failed: (error: unknown) => void = () => undefined;
    this.#ready = new Promise((resolve, reject) => {
      ready = resolve;
      failed = reject;
    });
    // The reader hears of it too.
    this.#ready.catch(() => undefined);
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (signal?.aborted === true) this.#ending.abort();
    this.#done = this.#run(ready).then(
      () => {
        ready();
        this.#end();
      },
      (error: unknown) => {
        failed(error);
        this.#error = error;
        this.#end();
      },
    );
  }

  /** Settles when the server listens: what is announced after that arrives. Rejects where the first connection fails. */
  get ready(): Promise<void> {
    return this.#ready;
  }

  /** Settles when it has ended, for whatever reason. */
  get ended(): Promise<void> {
    return this.#done;
  }

  /** The next announcement or gap. Rejects with what ended the listening, where it was not asked to end. */
  async next(): Promise<IteratorResult<ListenEvent, undefined>> {
    for (;;) {
      const reason = this.#gap;
      if (reason !== undefined) {
        this.#gap = undefined;
        return { done: false, value: { gap: true, reason } };
      }
      const event = this.#buffer.shift();
      if (event !== undefined) return { done: false, value: event };
      if (this.#ended) {
        const error = this.#error;
        this.#error = undefined;
        if (error !== undefined) throw error;
        return { done: true, value: undefined };
      }
      await new Promise<void>((resolve) => {
        const before = this.#wake;
        this.#wake = () => {
          before?.();
          resolve();
        };
      });
    }
  }

  /** Ends the listening and gives the connection back. */
  async close(): Promise<void> {
    this.#ending.abort();
    await this.#done;
  }

  async return(): Promise<IteratorResult<ListenEvent, undefined>> {
    await this.close();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  toJSON(): Record<string, unknown> {
    return GUARD.json({ ended: this.#ended, waiting: this.#buffer.size });
  }

  async #run(ready: () => void): Promise<void> {
    let pause = FIRST_PAUSE;
    for (let first = true; !this.#ending.signal.aborted; first = false) {
      try {
        await this.#listen(() => {
          pause = FIRST_PAUSE;
          if (first) ready();
          else this.#missed('reconnected');
          first = false;
        });
      } catch (error) {
        if (this.#ending.signal.aborted) return;
        if (first || error instanceof PoolClosedError) throw error;
        await this.#rest(pause * (0.5 + Math.random() / 2));
        pause = Math.min(pause * 2, LONGEST_PAUSE);
      }
    }
  }

  /** On one connection, as long as that lasts. Rejects when it is lost. */
  async #listen(listening: () => void): Promise<void> {
    const { pool, site } = this.#source;
    const { signal } = this.#ending;
    const lease = await pool.acquire({ signal, site });
    const { connection } = lease;
    if (!('onNotification' in connection)) {
      lease.release();
      throw new UnsupportedError('This driver hears no announcements.');
    }
    const lost = lossOf(connection);
    connection.onNotification = (notification) => this.#push({ gap: false, ...notification });
    try {
      await this.#say(lease, this.#statements);
      listening();
      await Promise.race([lost.happened, this.#alive(lease), aborted(signal)]);
    } finally {
      lost.forget();
      connection.onNotification = undefined;
      await this.#leave(lease);
    }
  }

  /** Asks for signs of life, until there is none. */
  async #alive(lease: Lease): Promise<void> {
    const { pingInterval = 30_000 } = this.#options;
    for (;;) {
      await this.#rest(pingInterval);
      if (this.#ending.signal.aborted) return;
      await this.#say(lease, [PING]);
    }
  }

  async #say(lease: Lease, batch: readonly DriverStatement[]): Promise<void> {
    try {
      await submitWithin(lease, { batch, sink: SILENT }, { timeout: ANSWER_WITHIN });
    } catch (error) {
      throw this.#source.dialect.translate(error);
    } finally {
      lease.settled();
    }
  }

  async #leave(lease: Lease): Promise<void> {
    if (!lease.usable || lease.pending > 0) {
      lease.invalidate('its listener had no answer');
      return;
    }
    try {
      await this.#say(lease, [plainStatement(this.#sql.unlisten)]);
      lease.release();
    } catch {
      lease.invalidate('it may still listen');
    }
  }

  #push(event: ListenEvent): void {
    if (this.#buffer.size >= this.#most) {
      this.#buffer.shift();
      this.#gap ??= 'overflow';
    }
    this.#buffer.push(event);
    this.#wakeUp();
  }

  /** What lies ready came before the gap, but it is read after it is known: a reader must start again anyway. */
  #missed(reason: 'reconnected'): void {
    this.#gap = reason;
    this.#wakeUp();
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #end(): void {
    this.#ended = true;
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#wakeUp();
  }

  #rest(time: number): Promise<void> {
    const { signal } = this.#ending;
    return new Promise((resolve) => {
      const timer = setTimeout(end, time);
      timer.unref();
      function end(): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      }
      if (signal.aborted) end();
      else signal.addEventListener('abort', end);
    });
  }
}

interface Loss {
  /** Rejects when the connection goes away. */
  readonly happened: Promise<never>;
  forget(): void;
}

/** The pool listens too, and must go on. */
function lossOf(connection: DriverConnection): Loss {
  const before = connection.onLost;
  let tell: (error: Error) => void = () => undefined;
  const happened = new Promise<never>((_resolve, reject) => {
    tell = reject;
  });
  happened.catch(() => undefined);
  const mine = (error: Error): void => {
    before?.(error);
    tell(error as AthanorError);
  };
  connection.onLost = mine;
  return {
    happened,
    forget: () => {
      if (connection.onLost === mine) connection.onLost = before;
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
