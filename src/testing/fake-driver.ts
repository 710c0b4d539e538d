// A driver without a server, for tests of what is above drivers: it keeps the transaction state a real one would, says
// what a script tells it to say, and fails, hangs or disappears on request, at any step.
import type {
  Completion,
  ConnectionStatus,
  ConnectOptions,
  Driver,
  DriverConnection,
  DriverStatement,
  Scalar,
  ServerIdentity,
  Sink,
  SubmitOptions,
} from '../driver/driver.ts';
import { CancelledError, ConnectionLostError, DatabaseError, StatementTimeoutError } from '../errors/index.ts';

/** What one statement is answered with. */
export interface FakeAnswer {
  readonly rows?: readonly Scalar[][];
  readonly command?: string;
  readonly count?: number;
  readonly error?: Error;
  /** The answer comes when this settles, or when the statement is cancelled. */
  readonly after?: Promise<unknown>;
  /** Cancelling does not help. */
  readonly deaf?: boolean;
}

/** Says what a statement is answered with; `undefined` for the ordinary. */
export type FakeScript = (statement: DriverStatement, connection: FakeConnection) => FakeAnswer | undefined;

interface Work {
  readonly batch: readonly DriverStatement[];
  readonly sink: Sink;
  readonly signal: AbortSignal | undefined;
}

export class FakeConnection implements DriverConnection {
  readonly identity: ServerIdentity;
  status: ConnectionStatus = 'idle';
  onLost: ((error: Error) => void) | undefined = undefined;
  onNotice: DriverConnection['onNotice'] = undefined;
  /** Texts of what was run, in order. */
  readonly ran: string[] = [];
  /** Sizes of the batches that were sent. */
  readonly batches: number[] = [];
  closes = 0;
  destroys = 0;
  cancels = 0;
  /** `close()` waits for it. */
  closing: Promise<void> | undefined = undefined;
  #script: FakeScript;
  #busy: Promise<void> | undefined = undefined;

  constructor(pid: number, script: FakeScript) {
    this.identity = { pid };
    this.#script = script;
  }

  submit(batch: readonly DriverStatement[], sink: Sink, options: SubmitOptions = {}): Promise<void> {
    if (this.status === 'closed') return Promise.reject(lost('not-sent'));
    this.batches.push(batch.length);
    const work = { batch, sink, signal: options.signal };
    if (this.#busy !== undefined) return this.#queue(() => this.#run(work, 0));
    const answer = this.#runAll(work);
    if (answer === undefined) return Promise.resolve();
    return this.#queue(() => answer);
  }

  cancel(): Promise<void> {
    this.cancels += 1;
    return Promise.resolve();
  }

  async close(): Promise<void> {
    this.closes += 1;
    await this.closing;
    this.status = 'closed';
  }

  destroy(): void {
    this.destroys += 1;
    this.status = 'closed';
  }

  /** The connection goes away unasked. */
  lose(error: Error = lost('unknown')): void {
    this.status = 'closed';
    const { onLost } = this;
    this.onLost = undefined;
    onLost?.(error);
  }

  #queue(work: () => Promise<void>): Promise<void> {
    const result = this.#busy === undefined ? work() : this.#busy.then(work);
    const busy: Promise<void> = result.then(
      () => this.#idle(busy),
      () => this.#idle(busy),
    );
    this.#busy = busy;
    return result;
  }

  #idle(busy: Promise<void>): void {
    if (this.#busy === busy) this.#busy = undefined;
  }

  /** Runs what needs no waiting at once; a promise only where something waits or fails. */
  #runAll(work: Work): Promise<void> | undefined {
    for (const [index, statement] of work.batch.entries()) {
      const answer = this.#answer(statement);
      if (answer.after !== undefined || answer.error !== undefined) return this.#run(work, index, answer);
      this.#give(work, index, answer);
    }
    return undefined;
  }

  async #run(work: Work, from: number, first?: FakeAnswer): Promise<void> {
    for (let index = from; index < work.batch.length; index += 1) {
      const known = index === from ? first : undefined;
      const answer = known ?? this.#answer(work.batch[index] as DriverStatement);
      if (answer.after !== undefined) await this.#await(answer, work.signal);
      if ((this.status as ConnectionStatus) === 'closed') throw lost('unknown');
      if (answer.error !== undefined) throw this.#failed(answer.error, index);
      this.#give(work, index, answer);
    }
  }

  #answer(statement: DriverStatement): FakeAnswer {
    const scripted = this.#script(statement, this);
    if (scripted !== undefined) return scripted;
    const ends = /^(commit|rollback)\b/i.test(statement.text.sql);
    if (this.status !== 'failed' || ends) return {};
    return { error: new DatabaseError('current transaction is aborted', { sqlState: '25P02' }) };
  }

  async #await({ after, deaf }: FakeAnswer, signal: AbortSignal | undefined): Promise<void> {
    if (signal === undefined || deaf === true) {
      await after;
      return;
    }
    const cancelled = Symbol('cancelled');
    const abort = new Promise<symbol>((resolve) => {
      if (signal.aborted) resolve(cancelled);
      signal.addEventListener('abort', () => resolve(cancelled), { once: true });
    });
    if ((await Promise.race([after, abort])) !== cancelled) return;
    this.cancels += 1;
    throw this.#failed(
      signal.reason instanceof CancelledError
        ? signal.reason
        : new StatementTimeoutError('canceling statement due to user request', { sqlState: '57014' }),
      0,
    );
  }

  #failed(error: Error, index: number): Error {
    if (this.status === 'transaction') this.status = 'failed';
    if (error instanceof DatabaseError) Object.assign(error, { statementIndex: index });
    return error;
  }

  #give({ batch, sink }: Work, index: number, answer: FakeAnswer): void {
    const { sql } = (batch[index] as DriverStatement).text;
    this.ran.push(sql);
    const command = answer.command ?? this.#track(sql);
    if (answer.rows !== undefined) {
      sink.fields?.(index, []);
      for (const row of answer.rows) sink.row(index, [...row]);
    }
    const completion: Completion = { command, count: answer.count ?? answer.rows?.length };
    sink.done?.(index, completion);
  }

  /** Follows the transaction as the server would; gives the command it would name. */
  #track(sql: string): string {
    const words = sql.trim().toUpperCase().split(/\s+/);
    const command = words[0] ?? '';
    if (command === 'BEGIN') this.status = 'transaction';
    else if (command === 'COMMIT') {
      const failed = this.status === 'failed';
      this.status = 'idle';
      return failed ? 'ROLLBACK' : 'COMMIT';
    } else if (command === 'ROLLBACK') this.status = words[1] === 'TO' ? 'transaction' : 'idle';
    return command;
  }
}

function lost(outcome: 'not-sent' | 'unknown'): ConnectionLostError {
  return new ConnectionLostError('The connection was lost.', { outcome });
}

export class FakeDriver implements Driver {
  readonly name = 'fake';
  readonly connections: FakeConnection[] = [];
  /** Called for each attempt, which fails or waits as this does. Counted from 1. */
  onConnect: ((attempt: number, options: ConnectOptions) => Promise<void> | void) | undefined = undefined;
  script: FakeScript = () => undefined;
  attempts = 0;

  /** Connections that are not closed. */
  get open(): number {
    return this.connections.filter((connection) => connection.status !== 'closed').length;
  }

  async connect(options: ConnectOptions = {}): Promise<FakeConnection> {
    this.attempts += 1;
    const attempt = this.attempts;
    await this.onConnect?.(attempt, options);
    const connection = new FakeConnection(1000 + attempt, (statement, on) => this.script(statement, on));
    this.connections.push(connection);
    return connection;
  }
}
