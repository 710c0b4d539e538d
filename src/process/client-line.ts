// A process's end of its line to the broker: greets, and passes on what the broker says once it is checked.
import type { Socket } from 'node:net';
import { BrokerLostError } from '../errors/index.ts';
import { encodeFrame, FrameReader } from './frame.ts';
import { type BrokerMessage, brokerMessage, type ClientMessage, type Hello } from './messages.ts';

type Welcome = Extract<BrokerMessage, { type: 'welcome' }>;

export interface ClientLineHooks {
  message(message: BrokerMessage): void;
  /** The line has ended. */
  ended(): void;
}

const WELCOME_TIME = 2000;
/** So that the broker knows a stopped process from a quiet one. Milliseconds. */
const BEAT = 2000;

export class ClientLine {
  readonly #socket: Socket;
  readonly #hooks: ClientLineHooks;
  readonly #reader = new FrameReader();
  #greeted: ((message: BrokerMessage) => void) | undefined;
  #beat: NodeJS.Timeout | undefined;

  constructor(socket: Socket, hooks: ClientLineHooks) {
    this.#socket = socket;
    this.#hooks = hooks;
  }

  /** Says hello. Rejects with `BrokerLostError` (ATH_BROKER_LOST) if no welcome comes; the line is then closed. */
  async greet(hello: Hello): Promise<Welcome> {
    const socket = this.#socket;
    const answer = new Promise<BrokerMessage | undefined>((resolve) => {
      const timer = setTimeout(resolve, WELCOME_TIME, undefined);
      this.#greeted = (message) => {
        clearTimeout(timer);
        this.#greeted = undefined;
        resolve(message);
      };
      socket.once('close', () => {
        clearTimeout(timer);
        resolve(undefined);
      });
    });
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    // Whatever ends the line, `close` follows and says so.
    socket.on('error', () => {});
    this.send(hello);
    const message = await answer;
    if (message?.type !== 'welcome' || socket.destroyed) {
      socket.destroy();
      const reason = message?.type === 'denied' ? `refused this process: ${message.reason}` : 'did not answer';
      throw new BrokerLostError(`The broker ${reason}.`);
    }
    socket.on('close', () => {
      clearInterval(this.#beat);
      this.#hooks.ended();
    });
    this.#beat = setInterval(() => this.send({ type: 'beat' }), BEAT);
    this.#beat.unref();
    return message;
  }

  send(message: ClientMessage): void {
    if (!this.#socket.destroyed) this.#socket.write(encodeFrame(message));
  }

  /** Whether the line keeps the process alive. */
  hold(on: boolean): void {
    if (on) this.#socket.ref();
    else this.#socket.unref();
  }

  /** Ends the line once all is sent. */
  close(): void {
    this.#socket.end();
    this.#socket.unref();
    setTimeout(() => this.#socket.destroy(), 200).unref();
  }

  #read(chunk: Buffer): void {
    try {
      for (const value of this.#reader.read(chunk)) {
        const message = brokerMessage(value);
        this.#greeted?.(message);
        this.#hooks.message(message);
      }
    } catch {
      // A broker that breaks the protocol is as good as none; the line's end starts the search for one.
      this.#socket.destroy();
    }
  }
}
