// A client's open connection to the watcher. As long as it is open the server stays up; it never keeps the process
// alive by itself.

import { createConnection, type Socket } from 'node:net';
import { EmbeddedError } from './embedded-error.ts';
import { type ClientMessage, receive, send, type ServerFacts, type WatcherMessage } from './messages.ts';

/** The connection was closed by the watcher before it answered. */
export const GONE = 'gone';

/** A client's place at the watcher. */
export class Lease {
  readonly #socket: Socket;
  readonly #waiting: ((answer: WatcherMessage | typeof GONE) => void)[] = [];
  readonly #closed: Promise<void>;
  #isOpen = true;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => undefined);
    this.#closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#isOpen = false;
        for (const waiting of this.#waiting.splice(0)) waiting(GONE);
        resolve();
      });
    });
    receive<WatcherMessage>(socket, (message) => this.#waiting.shift()?.(message));
  }

  /** Connects to a watcher; undefined when nobody listens there. */
  static open(address: string): Promise<Lease | undefined> {
    return new Promise((resolve) => {
      const socket = createConnection(address);
      const failed = (): void => resolve(undefined);
      socket.once('error', failed);
      socket.once('connect', () => {
        socket.off('error', failed);
        resolve(new Lease(socket));
      });
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Sends a message and waits for its answer. */
  async #ask(message: ClientMessage): Promise<WatcherMessage | typeof GONE> {
    if (!this.#isOpen) return GONE;
    this.#socket.ref();
    const answer = await new Promise<WatcherMessage | typeof GONE>((resolve) => {
      this.#waiting.push(resolve);
      send(this.#socket, message);
    });
    if (this.#waiting.length === 0) this.#socket.unref();
    return answer;
  }

  /** Asks for the server. Throws what the watcher reports; `GONE` when it ended instead. */
  async request(message: ClientMessage): Promise<ServerFacts | typeof GONE> {
    const answer = await this.#ask(message);
    if (answer === GONE || answer.say === 'stopped') return GONE;
    if (answer.say === 'ready') return answer.server;
    throw new EmbeddedError(answer.error.code, answer.error.message);
  }

  /** Waits until the watcher closed its side. */
  async closed(): Promise<void> {
    this.#socket.ref();
    await this.#closed;
  }

  /** Gives the place back. */
  async release(): Promise<void> {
    this.#socket.ref();
    this.#socket.end();
    await this.#closed;
  }

  /** Gives the place back without waiting. */
  abandon(): void {
    this.#socket.destroy();
  }
}
