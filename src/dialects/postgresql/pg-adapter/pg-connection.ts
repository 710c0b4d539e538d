// One connection: the face of the driver contract over a client of node-postgres. The client's messages are taken where
// it emits them all, in their order; its own queue, results and type conversions are left out.
import { inspect } from 'node:util';
import type { CopySource, CopyTarget } from '../../../driver/copy.ts';
import type { DriverCursor } from '../../../driver/cursor.ts';
import type {
  Completion,
  ConnectionStatus,
  DriverConnection,
  DriverStatement,
  ServerIdentity,
  Sink,
} from '../../../driver/driver.ts';
import type { Notification } from '../../../driver/notification.ts';
import type { SubmitOptions } from '../../../driver/submit-options.ts';
import { announceSubmission, type Submission } from '../../../driver/submissions.ts';
import {
  AthanorError,
  ConnectionLostError,
  ProtocolError,
  UnsupportedError,
  UsageError,
} from '../../../errors/index.ts';
import type { Loss } from '../driver/loss.ts';
import { firstRefusal } from '../pooler-refusal.ts';
import { StatementCache } from '../wire/statement-cache.ts';
import { safeMessage, serverError } from '../errors.ts';
import { copiesFrom, copiesTo } from '../sql-keyword.ts';
import { severityOf } from '../wire/server-message.ts';
import { Batch } from './batch.ts';
import { CopyIn } from './copy-in.ts';
import { CopyOut } from './copy-out.ts';
import type { Exchange, Write } from './exchange.ts';
import { ExchangeLine } from './exchange-line.ts';
import type { PgClient, PgMessage } from './pg-module.ts';
import { openPortal } from './portal.ts';
import { isLast, serverFields } from './server-fields.ts';

/** How long `close` waits for what is under way and for the server's end, in milliseconds. */
const GOODBYE = 1000;

export interface PgConnectionParts {
  readonly client: PgClient;
  readonly parameters: ReadonlyMap<string, string>;
  readonly statementCacheSize: number;
  /** Sends a cancel request for this connection. */
  readonly cancel: () => Promise<void>;
}

export type Notice = { readonly severity: string; readonly code: string; readonly message: string };

export class PgConnection implements DriverConnection {
  /** Whether a pooler gives the session away after each transaction; set before the connection is handed out. */
  pooled = false;
  onLost: ((error: Error) => void) | undefined;
  onNotice: ((notice: Notice) => void) | undefined;
  onNotification: ((notification: Notification) => void) | undefined;
  readonly parameters: ReadonlyMap<string, string>;
  #identity: ServerIdentity;
  #submission: Submission = Object.freeze({ database: 'postgresql' });
  readonly #client: PgClient;
  readonly #line: ExchangeLine;
  readonly #cache: StatementCache;
  readonly #gone: Promise<void>;
  #portals = 0;
  /** The end was asked for, so it is no loss. */
  #asked = false;
  #ended = false;
  #goodbye: Promise<void> | undefined;

  constructor({ client, parameters, statementCacheSize, cancel }: PgConnectionParts) {
    const pid = client.processID ?? 0;
    this.#client = client;
    this.parameters = parameters;
    this.#identity = Object.freeze({ pid });
    this.#cache = new StatementCache(statementCacheSize);
    this.#line = new ExchangeLine({
      connectionId: String(pid),
      cache: this.#cache,
      cancel,
      send: (exchange, write) => this.#send(exchange, write),
      abandon: (error) => this.#end(error),
    });
    let broken: Error | undefined;
    // The client makes errors of what is told here already; without a listener each would end the process.
    client.on('error', () => {});
    client.connection.on('error', (error) => {
      broken ??= error;
    });
    this.#gone = new Promise((resolve) => {
      client.connection.on('end', () => {
        this.#end(new ConnectionLostError('the server closed the connection', { cause: broken }));
        resolve();
      });
    });
    client.connection.on('message', (message) => this.#message(message));
  }

  get identity(): ServerIdentity {
    return this.#identity;
  }

  get status(): ConnectionStatus {
    return this.#line.state.status;
  }

  /** Completes the identity with what the server said when it was asked. */
  identify(identity: ServerIdentity, version: string | undefined): void {
    this.#identity = Object.freeze({ ...identity });
    this.#submission = Object.freeze({ database: 'postgresql', version });
  }

  withoutNames(): void {
    this.#cache.stopNaming();
  }

  submit(batch: readonly DriverStatement[], sink: Sink, options?: SubmitOptions): Promise<void> {
    if (batch.length === 0) return Promise.resolve();
    const refusal = this.pooled ? firstRefusal(batch) : undefined;
    if (refusal !== undefined) return Promise.reject(refusal);
    return this.#line.run(new Batch({ batch, sink, cache: this.#cache }, options?.signal));
  }

  openCursor(statement: DriverStatement, options?: SubmitOptions): Promise<DriverCursor> {
    this.#portals += 1;
    const name = `athc${this.#portals}`;
    return openPortal(this.#line, { name, statement }, options);
  }

  async copyFrom(sql: string, source: CopySource, options?: SubmitOptions): Promise<Completion> {
    if (!copiesFrom(sql)) throw new UsageError('copyFrom runs COPY ... FROM STDIN only', { outcome: 'not-sent' });
    if (!isSource(source)) throw new UsageError('copyFrom takes an iterable of Uint8Array', { outcome: 'not-sent' });
    const copy = new CopyIn(sql, source, options?.signal);
    await this.#line.run(copy);
    return copy.completion as Completion;
  }

  async copyTo(sql: string, target: CopyTarget, options?: SubmitOptions): Promise<Completion> {
    if (!copiesTo(sql)) throw new UsageError('copyTo runs COPY ... TO STDOUT only', { outcome: 'not-sent' });
    const stop = (): Promise<void> => this.#line.cancel();
    const copy = new CopyOut({ sql, target, stop }, options?.signal);
    await this.#line.run(copy);
    return copy.completion as Completion;
  }

  cancel(): Promise<void> {
    return this.#line.cancel();
  }

  close(): Promise<void> {
    this.#goodbye ??= this.#leave();
    return this.#goodbye;
  }

  async #leave(): Promise<void> {
    this.#asked = true;
    if (this.#ended) return;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, GOODBYE);
    });
    const quiet = this.#line.close(this.#loss(new ConnectionLostError('the connection is closed')));
    await Promise.race([quiet, patience]);
    this.#client.connection.end();
    await Promise.race([this.#gone, patience]);
    clearTimeout(timer);
    this.destroy();
  }

  destroy(): void {
    this.#asked = true;
    this.#end(new ConnectionLostError('the connection was closed on this side'));
  }

  [inspect.custom](): string {
    return `PgConnection { pid: ${this.#identity.pid}, status: '${this.status}' }`;
  }

  #send(exchange: Exchange, write: Write): void {
    const ignored = (): void => {};
    this.#client.query({
      text: exchange.statements[0] ?? '',
      submit: (wire) => {
        wire.stream.cork?.();
        write(wire);
        wire.stream.uncork?.();
        return undefined;
      },
      ...Object.fromEntries(HANDLERS.map((name) => [name, ignored])),
    });
  }

  /** Never throws: what is thrown into the client's event would end the process. */
  #message(message: PgMessage): void {
    if (this.#ended) return;
    try {
      this.#take(message);
    } catch (error) {
      this.broken(error);
    }
  }

  /** Reading failed: by the sink's fault, which belongs to its batch alone, or by the peer's. */
  broken(error: unknown): void {
    const { current } = this.#line;
    if (current?.inSink === true) {
      current.error = error;
      this.#end(
        new ConnectionLostError('a result sink threw, so the rest of the answer was not read', { cause: error }),
      );
    } else if (error instanceof AthanorError) this.#end(error);
    else this.#end(new ProtocolError('the server broke the protocol: a message that cannot be read', { cause: error }));
  }

  #take(message: PgMessage): void {
    switch (message.name) {
      case 'readyForQuery':
        this.#line.ready(String(message['status']).charCodeAt(0));
        return announceSubmission(this.#submission);
      case 'error':
        return this.#error(message);
      case 'notice':
        return this.#notice(message);
      case 'notification':
        return this.#notification(message);
      case 'parameterStatus':
        return this.#parameter(message);
      default:
        return this.#line.answer(message);
    }
  }

  #error(message: PgMessage): void {
    const fields = serverFields(message);
    // node-postgres gives a message it does not know as an error without a code.
    if (fields['C'] === undefined) throw new ProtocolError('the server broke the protocol: an unknown message');
    if (isLast(fields)) this.#end(serverError(fields, { outcome: undefined }), true);
    else this.#line.refused(fields);
  }

  #notice(message: PgMessage): void {
    const fields = serverFields(message);
    this.#tell(() =>
      this.onNotice?.({ severity: severityOf(fields), code: fields['C'] ?? '', message: safeMessage(fields) }),
    );
  }

  #notification(message: PgMessage): void {
    const { channel, payload, processId } = message;
    this.#tell(() =>
      this.onNotification?.({ channel: String(channel), payload: String(payload), pid: Number(processId) }),
    );
  }

  /** Text is read as UTF-8: a session that leaves it would give wrong data. */
  #parameter({ parameterName, parameterValue }: PgMessage): void {
    if (parameterName !== 'client_encoding' || parameterValue === 'UTF8') return;
    const encoding = String(parameterValue);
    this.#end(new UnsupportedError(`the session was set to client_encoding ${encoding}, and only UTF8 is read`));
  }

  /** A listener's failure must not reach the statement that happens to run. */
  #tell(listener: () => void): void {
    try {
      listener();
    } catch {
      // It has no caller to go to.
    }
  }

  #loss(reason: AthanorError, announced = false): Loss {
    return { reason, announced, connectionId: String(this.#identity.pid) };
  }

  #end(reason: AthanorError, announced = false): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#client.connection.stream.destroy();
    this.#line.lost(this.#loss(reason, announced));
    if (!this.#asked) this.#tell(() => this.onLost?.(reason));
  }
}

function isSource(source: unknown): boolean {
  return typeof source === 'object' && source !== null && (Symbol.asyncIterator in source || Symbol.iterator in source);
}

/** What a client calls on its query; all of it was already taken from the messages. */
const HANDLERS: readonly string[] = [
  'handleRowDescription',
  'handleDataRow',
  'handlePortalSuspended',
  'handleEmptyQuery',
  'handleCommandComplete',
  'handleParseComplete',
  'handleCopyInResponse',
  'handleCopyData',
  'handleReadyForQuery',
  'handleError',
];
