// One connection: the face of the driver contract over a transport and a pipeline. Whatever goes wrong below ends here, in
// one place, once: the transport is dropped, every batch is settled, and the owner is told.
import { inspect } from 'node:util';
import type {
  Completion,
  ConnectionStatus,
  CopySource,
  CopyTarget,
  DriverConnection,
  DriverCursor,
  DriverStatement,
  Notification,
  ServerIdentity,
  Sink,
  SubmitOptions,
} from '../../../driver/driver.ts';
import { announceSubmission, type Submission } from '../../../driver/submissions.ts';
import {
  AthanorError,
  ConnectionLostError,
  ProtocolError,
  UnsupportedError,
  UsageError,
} from '../../../errors/index.ts';
import { safeMessage, serverError } from '../errors.ts';
import type { Frame } from '../wire/frame.ts';
import type { FrameReader } from '../wire/frame-reader.ts';
import type { CopyEnd, CopyLink } from './copy-exchange.ts';
import { CopyIn } from './copy-in.ts';
import { CopyOut } from './copy-out.ts';
import type { Exchange } from './exchange.ts';
import { Operation } from './operation.ts';
import { Pipeline } from './pipeline.ts';
import { openCursor } from './portal-cursor.ts';
import { BACKEND, FRONTEND, violation } from '../wire/protocol.ts';
import { endsSession, readServerFields, severityOf } from '../wire/server-message.ts';
import { readNotification, readParameter } from '../wire/session-message.ts';
import { firstRefusal } from '../pooler-refusal.ts';
import { copiesFrom, copiesTo } from '../sql-keyword.ts';
import type { Transport } from './transport.ts';

/** How long `close` waits for the server's end, in milliseconds. */
const GOODBYE = 1000;
/** More parameters than any server has are an attack on memory. */
const MAX_PARAMETERS = 1000;
/** SQLSTATE of a server that ends all its sessions because one of its processes died. */
const CRASH = '57P02';
const TERMINATE = Buffer.from([FRONTEND.terminate, 0, 0, 0, 4]);

export interface ConnectionParts {
  readonly transport: Transport;
  readonly reader: FrameReader;
  readonly pid: number;
  readonly statementCacheSize: number;
  /** What the server said of the session so far. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Sends a cancel request for this connection. */
  readonly cancel: () => Promise<void>;
}

export type Notice = { readonly severity: string; readonly code: string; readonly message: string };

export class PostgresConnection implements DriverConnection {
  onLost: ((error: Error) => void) | undefined;
  onNotice: ((notice: Notice) => void) | undefined;
  onNotification: ((notification: Notification) => void) | undefined;
  /** Whether a pooler gives the session away after each transaction; set before the connection is handed out. */
  pooled = false;
  #identity: ServerIdentity;
  #submission: Submission = Object.freeze({ database: 'postgresql' });
  readonly #transport: Transport;
  readonly #reader: FrameReader;
  readonly #pipeline: Pipeline;
  readonly #parameters: Map<string, string>;
  readonly #copyLink: CopyLink;
  #portals = 0;
  /** The end was asked for, so it is no loss. */
  #asked = false;
  #ended = false;
  #goodbye: Promise<void> | undefined;
  /** What the server said of its crash; it says so by a notice, and then hangs up. */
  #farewell: AthanorError | undefined;

  constructor(parts: ConnectionParts) {
    this.#identity = Object.freeze({ pid: parts.pid });
    this.#transport = parts.transport;
    this.#reader = parts.reader;
    this.#pipeline = new Pipeline({
      connectionId: String(parts.pid),
      statementCacheSize: parts.statementCacheSize,
      write: (bytes) => this.#transport.write(bytes),
      cancel: parts.cancel,
      abandon: (error) => this.#end(error),
    });
    this.#parameters = new Map(parts.parameters);
    this.#copyLink = {
      send: (bytes) => void this.#transport.write(bytes),
      drained: () => this.#transport.drained(),
      hold: () => this.#transport.hold(),
      release: () => this.#transport.release(),
      stop: (exchange: Exchange) => this.#pipeline.stop(exchange),
    };
    this.#reader.handle = (frame) => this.#frame(frame);
    this.#transport.onData = (bytes, length) => this.#read(bytes, length);
    this.#transport.onEnd = (error) =>
      this.#end(this.#farewell ?? new ConnectionLostError('the server closed the connection', { cause: error }));
  }

  get identity(): ServerIdentity {
    return this.#identity;
  }

  get status(): ConnectionStatus {
    return this.#pipeline.state.status;
  }

  get parameters(): ReadonlyMap<string, string> {
    return this.#parameters;
  }

  /** Completes the identity with what the server said when it was asked. */
  identify(identity: ServerIdentity, version: string | undefined): void {
    this.#identity = Object.freeze({ ...identity });
    this.#submission = Object.freeze({ database: 'postgresql', version });
  }

  withoutNames(): void {
    this.#pipeline.withoutNames();
  }

  submit(batch: readonly DriverStatement[], sink: Sink, options?: SubmitOptions): Promise<void> {
    if (batch.length === 0) return Promise.resolve();
    const refusal = this.pooled ? firstRefusal(batch) : undefined;
    if (refusal !== undefined) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      this.#pipeline.submit(new Operation({ batch, sink, signal: options?.signal, resolve, reject }));
    });
  }

  openCursor(statement: DriverStatement, options?: SubmitOptions): Promise<DriverCursor> {
    this.#portals += 1;
    return openCursor(this.#pipeline, statement, { portal: `athc${this.#portals}`, signal: options?.signal });
  }

  copyFrom(sql: string, source: CopySource, options?: SubmitOptions): Promise<Completion> {
    if (!copiesFrom(sql)) return Promise.reject(new UsageError('copyFrom runs COPY ... FROM STDIN only'));
    return this.#copy(sql, options, (end) => new CopyIn(end, source));
  }

  copyTo(sql: string, target: CopyTarget, options?: SubmitOptions): Promise<Completion> {
    if (!copiesTo(sql)) return Promise.reject(new UsageError('copyTo runs COPY ... TO STDOUT only'));
    return this.#copy(sql, options, (end) => new CopyOut(end, target));
  }

  #copy(sql: string, options: SubmitOptions | undefined, make: (end: CopyEnd) => Exchange): Promise<Completion> {
    return new Promise((resolve, reject) => {
      this.#pipeline.submit(make({ sql, link: this.#copyLink, signal: options?.signal, resolve, reject }));
    });
  }

  cancel(): Promise<void> {
    return this.#pipeline.cancel();
  }

  close(): Promise<void> {
    // Once only: a second goodbye would be written after the end, which tears the socket down before the server's end.
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
    // A server would answer first what was asked first; a pooler leaves at once.
    await Promise.race([
      this.#pipeline.close(this.#loss(new ConnectionLostError('the connection is closed'))),
      patience,
    ]);
    this.#transport.write(TERMINATE);
    this.#transport.end();
    await Promise.race([this.#transport.closed, patience]);
    clearTimeout(timer);
    this.destroy();
  }

  destroy(): void {
    this.#asked = true;
    this.#end(new ConnectionLostError('the connection was closed on this side'));
  }

  /** Messages that came while the session was being set up. */
  accept(frames: readonly Frame[]): void {
    this.#guarded(() => {
      for (const frame of frames) this.#frame(frame);
    });
  }

  [inspect.custom](): string {
    return `PostgresConnection { pid: ${this.#identity.pid}, status: '${this.status}' }`;
  }

  #read(bytes: Buffer, length: number): void {
    try {
      this.#reader.push(bytes, length);
      this.#pipeline.head?.pause();
    } catch (error) {
      this.#broken(error);
    }
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#broken(error);
    }
  }

  /** Reading failed: by the sink's fault, which belongs to its batch alone, or by the peer's. */
  #broken(error: unknown): void {
    const { head } = this.#pipeline;
    if (head?.inSink === true) {
      head.error = error;
      this.#end(
        new ConnectionLostError('a result sink threw, so the rest of the answer was not read', { cause: error }),
      );
    } else if (error instanceof AthanorError) this.#end(error);
    else this.#end(new ProtocolError('the server broke the protocol: a message that cannot be read', { cause: error }));
  }

  #frame(frame: Frame): void {
    switch (frame.type) {
      case BACKEND.dataRow:
        return this.#pipeline.row(frame);
      case BACKEND.readyForQuery:
        if (frame.end - frame.start !== 1) violation('a ready message of the wrong size');
        this.#pipeline.ready(frame.bytes[frame.start] as number);
        return announceSubmission(this.#submission);
      case BACKEND.error:
        return this.#error(frame);
      case BACKEND.notice:
        return this.#notice(frame);
      case BACKEND.parameterStatus:
        return this.#parameter(frame);
      case BACKEND.notification:
        return this.#notification(frame);
      default:
        return this.#pipeline.answer(frame);
    }
  }

  #error(frame: Frame): void {
    const fields = readServerFields(frame);
    if (endsSession(fields)) this.#end(serverError(fields, { outcome: undefined }), true);
    else this.#pipeline.error(fields);
  }

  #notice(frame: Frame): void {
    const crash = frame.bytes.subarray(frame.start, frame.end).includes(CRASH);
    if (this.onNotice === undefined && !crash) return;
    const fields = readServerFields(frame);
    // It did not wait for a safe moment to stop, so this says nothing of what it was doing.
    if (fields['C'] === CRASH) this.#farewell = serverError(fields, { outcome: undefined });
    if (this.onNotice === undefined) return;
    try {
      this.onNotice({ severity: severityOf(fields), code: fields['C'] ?? '', message: safeMessage(fields) });
    } catch {
      // A listener's failure must not reach the statement that happens to run.
    }
  }

  #notification(frame: Frame): void {
    const notification = readNotification(frame);
    try {
      this.onNotification?.(notification);
    } catch {
      // As with notices: there is no caller to tell.
    }
  }

  /** Text is read as UTF-8: a session that leaves it would give wrong data. */
  #parameter(frame: Frame): void {
    const [name, value] = readParameter(frame);
    this.#parameters.set(name, value);
    if (this.#parameters.size > MAX_PARAMETERS) violation('more parameters than a server has');
    if (name === 'client_encoding' && value !== 'UTF8')
      this.#end(new UnsupportedError(`the session was set to client_encoding ${value}, and only UTF8 is read`));
  }

  #loss(
    reason: AthanorError,
    announced = false,
  ): { readonly reason: AthanorError; readonly announced: boolean; readonly connectionId: string } {
    return { reason, announced, connectionId: String(this.#identity.pid) };
  }

  #end(reason: AthanorError, announced = false): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#reader.stop();
    this.#transport.destroy();
    this.#pipeline.lost(this.#loss(reason, announced));
    if (this.#asked) return;
    try {
      this.onLost?.(reason);
    } catch {
      // The connection is gone either way; its owner's failure has no caller to go to.
    }
  }
}
