// A database server in virtual time, and the driver that reaches it. It keeps transactions as a real one does, and at
// every step it may be slow, refuse, fail, go away or never answer. What it does is the truth clients are judged by.
import type {
  Completion,
  ConnectionStatus,
  ConnectOptions,
  Driver,
  DriverConnection,
  DriverStatement,
  Scalar,
  Sink,
  SubmitOptions,
} from '../../src/driver/driver.ts';
import {
  CancelledError,
  CommitOutcomeUnknownError,
  CommitRolledBackError,
  ConnectError,
  ConnectionLostError,
  DatabaseError,
  type Outcome,
  SerializationFailureError,
  ServerFullError,
  TimeoutError,
  UniqueViolationError,
} from '../../src/errors/index.ts';
import type { Random } from '../random.ts';
import type { VirtualTime } from './virtual-time.ts';

/** How likely each fault is, at each step where it can happen. */
export interface Faults {
  readonly refuse: number;
  readonly full: number;
  readonly mute: number;
  readonly lose: number;
  readonly fail: number;
  readonly slow: number;
  readonly deaf: number;
}

export const NO_FAULTS: Faults = { refuse: 0, full: 0, mute: 0, lose: 0, fail: 0, slow: 0, deaf: 0 };

interface Transaction {
  /** Whose statements ran in it: the first one's. */
  owner: string | undefined;
  marks: string[];
  savepoints: { readonly name: string; readonly length: number }[];
  failed: boolean;
}

/** What the server keeps for one connection. */
export interface ServerSession {
  readonly pid: number;
  transaction: Transaction | undefined;
}

/** How long a session may stay when its client left without a word, in ms; less than a permit lingers. */
const LINGER = 1_500;
/** When a silent peer is noticed, in ms. */
const SILENCE = 60_000;

export class SimServer implements Driver {
  readonly name = 'simulated';
  readonly sessions = new Set<ServerSession>();
  readonly committed = new Set<string>();
  readonly violations: string[] = [];
  readonly time: VirtualTime;
  readonly random: Random;
  faults: Faults;
  /** Connections as clients have them. */
  readonly connections = new Set<SimConnection>();
  #pids = 0;

  constructor(time: VirtualTime, random: Random, faults: Faults) {
    this.time = time;
    this.random = random;
    this.faults = faults;
  }

  connect(options: ConnectOptions = {}): Promise<DriverConnection> {
    const { random, faults, time } = this;
    return new Promise((resolve, reject) => {
      let session: ServerSession | undefined;
      const { signal, timeout = 10_000 } = options;
      const end = (): void => {
        time.stop(deadline);
        time.stop(half);
        signal?.removeEventListener('abort', onAbort);
      };
      const giveUp = (error: Error): void => {
        end();
        if (session !== undefined) this.fade(session);
        reject(error);
      };
      const onAbort = (): void =>
        giveUp(new CancelledError('connecting was cancelled', { outcome: 'not-sent', cause: signal?.reason }));
      const deadline = time.timer(timeout, () =>
        giveUp(new ConnectError('too late', { cause: new TimeoutError('too late', { timeout }), outcome: 'not-sent' })),
      );
      const delay = random.chance(faults.slow) ? random.int(3_000) : random.between(5, 40);
      let half = time.timer(delay, () => {
        const refusal = this.#refusal();
        if (refusal !== undefined) return giveUp(refusal);
        session = { pid: (this.#pids += 1), transaction: undefined };
        this.sessions.add(session);
        if (random.chance(faults.mute)) return;
        const born = session;
        half = time.timer(random.between(1, 20), () => {
          end();
          const connection = new SimConnection(this, born);
          this.connections.add(connection);
          resolve(connection);
        });
      });
      if (signal?.aborted === true) onAbort();
      else signal?.addEventListener('abort', onAbort);
    });
  }

  #refusal(): Error | undefined {
    const { random, faults } = this;
    if (random.chance(faults.refuse)) return new ConnectError('refused', { outcome: 'not-sent' });
    if (random.chance(faults.refuse / 2))
      return new ConnectError('starting up', { sqlState: '57P03', outcome: 'not-sent' });
    if (random.chance(faults.full)) return new ServerFullError('too many clients', { outcome: 'not-sent' });
    return undefined;
  }

  /** A session whose client is gone ends a little later. */
  fade(session: ServerSession): void {
    this.time.timer(this.random.int(LINGER), () => this.end(session));
  }

  end(session: ServerSession): void {
    session.transaction = undefined;
    this.sessions.delete(session);
  }

  /** Runs one statement for good. Gives the command's name, or what the server answers instead. */
  execute(session: ServerSession, { text, params }: DriverStatement, alone: boolean): string | Error {
    const words = text.sql.trim().split(/\s+/);
    const [first = '', second = ''] = words;
    const transaction = session.transaction;
    switch (first.toUpperCase()) {
      case 'BEGIN':
        if (transaction !== undefined) this.violations.push(`BEGIN inside the transaction of ${transaction.owner}`);
        session.transaction = { owner: undefined, marks: [], savepoints: [], failed: false };
        return 'BEGIN';
      case 'COMMIT':
        return this.#commit(session);
      case 'ROLLBACK':
        if (second.toUpperCase() === 'TO') return rollbackTo(transaction, words.at(-1) ?? '');
        session.transaction = undefined;
        return 'ROLLBACK';
    }
    if (transaction?.failed === true) return failed('25P02', 'current transaction is aborted');
    if (first.toUpperCase() === 'SAVEPOINT') return savepoint(transaction, second);
    if (first.toUpperCase() === 'RELEASE') return release(transaction, words.at(-1) ?? '');
    if (first === 'mark') this.#mark(session, String(params[0]), alone);
    return first === 'mark' ? 'INSERT' : 'SELECT';
  }

  #mark(session: ServerSession, mark: string, alone: boolean): void {
    const owner = mark.slice(0, mark.lastIndexOf('.'));
    const { transaction } = session;
    const loose = mark.startsWith('auto');
    if (transaction === undefined) {
      if (!loose || !alone) this.violations.push(`${mark} was run outside of any transaction`);
      this.committed.add(mark);
      return;
    }
    if (loose) this.violations.push(`${mark} was run inside the transaction of ${transaction.owner}`);
    transaction.owner ??= owner;
    if (transaction.owner !== owner)
      this.violations.push(`${mark} was run inside the transaction of ${transaction.owner}`);
    transaction.marks.push(mark);
  }

  #commit(session: ServerSession): string {
    const { transaction } = session;
    session.transaction = undefined;
    if (transaction?.failed === true) return 'ROLLBACK';
    for (const mark of transaction?.marks ?? []) this.committed.add(mark);
    return 'COMMIT';
  }
}

function failed(sqlState: string, message: string): DatabaseError {
  return new DatabaseError(message, { sqlState, outcome: 'failed' });
}

function savepoint(transaction: Transaction | undefined, name: string): string | Error {
  if (transaction === undefined) return failed('25P01', 'SAVEPOINT outside of a transaction');
  transaction.savepoints.push({ name, length: transaction.marks.length });
  return 'SAVEPOINT';
}

function place(transaction: Transaction | undefined, name: string): number {
  return transaction?.savepoints.findLastIndex((one) => one.name === name) ?? -1;
}

function rollbackTo(transaction: Transaction | undefined, name: string): string | Error {
  const index = place(transaction, name);
  if (transaction === undefined || index < 0) return failed('3B001', `no savepoint ${name}`);
  transaction.marks.length = transaction.savepoints[index]?.length ?? 0;
  transaction.savepoints.length = index + 1;
  transaction.failed = false;
  return 'ROLLBACK';
}

function release(transaction: Transaction | undefined, name: string): string | Error {
  const index = place(transaction, name);
  if (transaction === undefined || index < 0) return failed('3B001', `no savepoint ${name}`);
  transaction.savepoints.length = index;
  return 'RELEASE';
}

interface Work {
  readonly batch: readonly DriverStatement[];
  readonly sink: Sink;
  readonly signal: AbortSignal | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  /** The statement that is answered next. */
  at: number;
  /** Statements the server has carried out, whether their answers arrived or not. */
  carried: number;
  done: boolean;
  interrupt: (() => void) | undefined;
}

/** One connection, as the contract of drivers has it. */
export class SimConnection implements DriverConnection {
  readonly identity: { readonly pid: number };
  status: ConnectionStatus = 'idle';
  onLost: ((error: Error) => void) | undefined = undefined;
  onNotice: DriverConnection['onNotice'] = undefined;
  readonly #server: SimServer;
  readonly #session: ServerSession;
  readonly #queue: Work[] = [];
  #running = false;
  /** The client's last word was of an open transaction. */
  #open = false;

  constructor(server: SimServer, session: ServerSession) {
    this.#server = server;
    this.#session = session;
    this.identity = { pid: session.pid };
  }

  submit(batch: readonly DriverStatement[], sink: Sink, { signal }: SubmitOptions = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.status === 'closed')
        return reject(new ConnectionLostError('the connection is closed', { outcome: 'not-sent' }));
      if (signal?.aborted === true)
        return reject(new CancelledError('cancelled before it was sent', { outcome: 'not-sent' }));
      const work: Work = { batch, sink, signal, at: 0, carried: 0, done: false, interrupt: undefined, resolve, reject };
      this.#queue.push(work);
      if (signal !== undefined) this.#listen(work, signal);
      if (!this.#running) void this.#run();
    });
  }

  cancel(): Promise<void> {
    this.#queue[0]?.interrupt?.();
    return Promise.resolve();
  }

  async close(): Promise<void> {
    if (this.status === 'closed') return;
    const { time, random, faults } = this.#server;
    this.#leave();
    this.#drop(new ConnectionLostError('the connection is closed'), false);
    if (random.chance(faults.mute)) {
      await time.sleep(1_000);
      this.#server.fade(this.#session);
      return;
    }
    await time.sleep(random.between(1, random.chance(faults.slow) ? 900 : 20));
    this.#server.end(this.#session);
  }

  destroy(): void {
    if (this.status === 'closed') return;
    this.#leave();
    this.#orphan();
    this.#drop(new ConnectionLostError('the connection was closed on this side'), false);
    this.#server.fade(this.#session);
  }

  /** It goes away unasked: the server says so, hangs up, or falls silent. */
  lose(how: 'said' | 'reset' | 'silent'): void {
    if (this.status === 'closed') return;
    const cause = Object.assign(new TypeError(how), { code: how === 'silent' ? 'ETIMEDOUT' : 'ECONNRESET' });
    const error = new ConnectionLostError('the server closed the connection', how === 'said' ? {} : { cause });
    if (how === 'silent') {
      this.#orphan();
      this.#server.fade(this.#session);
    } else this.#server.end(this.#session);
    this.#leave();
    this.#drop(error, true);
  }

  #leave(): void {
    this.status = 'closed';
    this.#server.connections.delete(this);
  }

  /** Everything under way is told how it stands. */
  #drop(reason: ConnectionLostError, unasked: boolean): void {
    let open = this.#open;
    for (const work of this.#queue.splice(0)) {
      this.#finish(work);
      work.reject(lostError(work, reason, open));
      open = false;
    }
    if (!unasked) return;
    const { onLost } = this;
    this.onLost = undefined;
    onLost?.(reason);
  }

  /** What is under way may still be carried out when nobody is there any more to hear of it. */
  #orphan(): void {
    const [work] = this.#queue;
    if (work === undefined || this.#server.random.chance(0.5)) return;
    const alone = this.#session.transaction === undefined && work.batch.length === 1;
    for (const statement of work.batch.slice(work.carried)) {
      if (this.#server.execute(this.#session, statement, alone) instanceof Error) return;
    }
  }

  #finish(work: Work): void {
    work.done = true;
    work.interrupt?.();
  }

  #listen(work: Work, signal: AbortSignal): void {
    const onAbort = (): void => this.#abort(work);
    signal.addEventListener('abort', onAbort, { once: true });
    const { resolve, reject } = work;
    Object.assign(work, {
      resolve: () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      },
      reject: (error: unknown) => {
        signal.removeEventListener('abort', onAbort);
        reject(error);
      },
    });
  }

  #abort(work: Work): void {
    const index = this.#queue.indexOf(work);
    if (index > 0) {
      this.#queue.splice(index, 1);
      work.done = true;
      work.reject(new CancelledError('cancelled before it was sent', { outcome: 'not-sent' }));
      return;
    }
    if (this.#server.random.chance(this.#server.faults.deaf)) return;
    this.#server.time.timer(this.#server.random.between(1, 60), () => work.interrupt?.());
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let work = this.#queue[0]; work !== undefined; work = this.#queue[0]) {
      const error = await this.#perform(work);
      if (work.done) continue;
      work.done = true;
      this.#queue.shift();
      if (error === undefined) work.resolve();
      else work.reject(error);
    }
    this.#running = false;
  }

  async #perform(work: Work): Promise<Error | undefined> {
    const { random, faults } = this.#server;
    const implicit = this.#session.transaction === undefined;
    for (; work.at < work.batch.length; ) {
      const statement = work.batch[work.at] as DriverStatement;
      const fate = random.chance(faults.lose) ? random.pick(['before', 'after'] as const) : 'lives';
      const cancelled = await this.#pass(work, random.chance(faults.mute));
      if (work.done) return undefined;
      if (fate === 'before') return this.#vanish();
      const answer = cancelled
        ? failed('57014', `canceling statement due to user request`)
        : this.#answer(work, statement, implicit);
      work.carried = answer instanceof Error ? work.batch.length : work.carried + 1;
      if (fate === 'after') return this.#vanish();
      if (answer instanceof Error) return this.#failed(work, statement, answer);
      const wrong = this.#deliver(work, statement, answer);
      if (wrong !== undefined) return wrong;
      work.at += 1;
    }
    this.#settle();
    return undefined;
  }

  #vanish(): undefined {
    this.lose(this.#server.random.pick(['said', 'reset', 'silent'] as const));
  }

  /** Time passes; true if a cancel came meanwhile. A statement that is never answered ends with its connection. */
  #pass(work: Work, mute: boolean): Promise<boolean> {
    const { time, random, faults } = this.#server;
    const delay = mute ? SILENCE : random.chance(faults.slow) ? random.int(4_000) : random.between(1, 15);
    return new Promise((resolve) => {
      const over = (cancelled: boolean): void => {
        time.stop(timer);
        work.interrupt = undefined;
        resolve(cancelled);
      };
      const timer = time.timer(delay, () => {
        if (mute) this.lose('silent');
        over(false);
      });
      work.interrupt = () => over(!work.done);
    });
  }

  #answer(work: Work, statement: DriverStatement, implicit: boolean): string | Error {
    const { random, faults } = this.#server;
    const { sql } = statement.text;
    // Nothing makes a server refuse BEGIN or ROLLBACK.
    if (random.chance(faults.fail) && this.#session.transaction?.failed !== true && !/^(?:begin|rollback)/i.test(sql)) {
      return this.#refusal(statement);
    }
    return this.#server.execute(this.#session, statement, implicit && work.batch.length === 1);
  }

  /** A failure of the statement's own; at COMMIT it ends the transaction. */
  #refusal({ text, params }: DriverStatement): Error {
    const of = `for ${params[0] === undefined ? text.sql : String(params[0])}`;
    const { transaction } = this.#session;
    if (/^commit/i.test(text.sql)) this.#session.transaction = undefined;
    else if (transaction !== undefined) transaction.failed = true;
    return this.#server.random.chance(0.3)
      ? new SerializationFailureError(`could not serialize access ${of}`, { sqlState: '40001', outcome: 'failed' })
      : new UniqueViolationError(`duplicate key ${of}`, { sqlState: '23505', outcome: 'failed' });
  }

  #failed(work: Work, { text }: DriverStatement, error: Error): Error {
    const { transaction } = this.#session;
    if (/^commit/i.test(text.sql)) this.#session.transaction = undefined;
    else if (transaction !== undefined) transaction.failed = true;
    this.#settle();
    if (error instanceof DatabaseError)
      Object.defineProperty(error, 'statementIndex', { value: work.at, configurable: true, writable: true });
    const cancelled = error instanceof DatabaseError && error.sqlState === '57014';
    return cancelled
      ? new CancelledError('the statement was cancelled', { cause: work.signal?.reason, outcome: 'failed' })
      : error;
  }

  #deliver(work: Work, { text, params }: DriverStatement, command: string): Error | undefined {
    const rows: Scalar[][] = text.sql.startsWith('echo') ? [[params[0] ?? null]] : [];
    if (rows.length > 0) work.sink.fields?.(work.at, [{ name: 'echo', type: 25 }]);
    for (const row of rows) work.sink.row(work.at, row);
    const completion: Completion = { command, count: command === 'INSERT' ? 1 : rows.length };
    work.sink.done?.(work.at, completion);
    if (command !== 'ROLLBACK' || !/^commit/i.test(text.sql)) return undefined;
    this.#settle();
    // Drivers may say it themselves, or leave it to who reads the command.
    return this.#server.random.chance(0.5)
      ? new CommitRolledBackError('COMMIT was answered by ROLLBACK', { outcome: 'failed' })
      : undefined;
  }

  /** The client hears of the transaction's state with the end of an answer. */
  #settle(): void {
    const { transaction } = this.#session;
    this.status = transaction === undefined ? 'idle' : transaction.failed ? 'failed' : 'transaction';
    this.#open = transaction !== undefined;
  }
}

/** What a driver knows of a batch it never heard the end of. */
function lostError(work: Work, reason: ConnectionLostError, open: boolean): Error {
  let inside = open;
  let outcome: Outcome = 'failed';
  for (const [index, { text }] of work.batch.entries()) {
    if (/^begin/i.test(text.sql)) inside = true;
    else if (index < work.at) continue;
    else if (/^commit/i.test(text.sql))
      return new CommitOutcomeUnknownError('the connection went away during COMMIT', {
        outcome: 'unknown',
        cause: reason,
      });
    else if (!inside) outcome = 'unknown';
  }
  return new ConnectionLostError(reason.message, { outcome, cause: reason.cause });
}
