// The broker's end of one process's line: bytes in, checked messages out. A peer that breaks the rules, floods, or
// does not read is cut; nobody else notices.
import type { Socket } from 'node:net';
import { encodeFrame, FrameReader } from '../frame.ts';
import { type BrokerMessage, type ClientMessage, clientMessage } from '../messages.ts';

/** Messages a second, and at once; many times what a pool can need. */
const RATE = 1000;
const BURST = 2000;
/** Bytes that may wait to be read by the peer. */
const MAX_UNREAD = 256 * 1024;
/** How long a peer may take to say hello, in milliseconds. */
const HELLO_TIME = 5000;

export interface LineHooks {
  message(message: ClientMessage): void;
  /** The line has ended; nothing comes after it. */
  ended(): void;
}

export class BrokerLine {
  readonly #socket: Socket;
  readonly #hooks: LineHooks;
  readonly #reader = new FrameReader();
  readonly #hello: NodeJS.Timeout;
  #tokens = BURST;
  #refilled: number = performance.now();
  #cut = false;

  constructor(socket: Socket, hooks: LineHooks) {
    this.#socket = socket;
    this.#hooks = hooks;
    this.#hello = setTimeout(() => this.cut('no hello came'), HELLO_TIME);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    // A peer that is killed resets the line; what matters is that it ended, and `close` says so.
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(this.#hello);
      hooks.ended();
    });
  }

  greeted(): void {
    clearTimeout(this.#hello);
  }

  send(message: BrokerMessage): void {
    if (this.#cut || this.#socket.destroyed) return;
    this.#socket.write(encodeFrame(message));
    if (this.#socket.writableLength > MAX_UNREAD) this.#socket.destroy();
  }

  /** Says why and ends the line. */
  cut(reason: string): void {
    if (this.#cut) return;
    this.send({ type: 'denied', reason });
    this.#cut = true;
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), 100).unref();
  }

  destroy(): void {
    this.#cut = true;
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    try {
      for (const value of this.#reader.read(chunk)) {
        if (this.#cut) return;
        if (!this.#mayPass()) {
          this.cut('too many messages');
          return;
        }
        this.#hooks.message(clientMessage(value));
      }
    } catch (error) {
      this.cut(error instanceof Error ? error.message : 'broken frame');
    }
  }

  #mayPass(): boolean {
    const now = performance.now();
    this.#tokens = Math.min(BURST, this.#tokens + ((now - this.#refilled) * RATE) / 1000);
    this.#refilled = now;
    this.#tokens -= 1;
    return this.#tokens >= 0;
  }
}
