// What lies between the driver and the server of a conversation: bytes in memory, in pieces as small as a byte, in a
// buffer that is written over as soon as the driver has had it, as the real one is.
import type { Transport } from '../../src/dialects/postgresql/driver/transport.ts';

const SHARED = Buffer.alloc(1 << 18);
const SCRIBBLE = 0xee;

/** Takes a transport's place. */
export class MemoryTransport {
  onData: (bytes: Buffer, length: number) => void = () => {};
  onEnd: (error: Error | undefined) => void = () => {};
  readonly closed: Promise<void>;
  /** The longest the driver was busy with one piece, in ms. */
  longest = 0;
  ended = false;
  readonly #wrote: (bytes: Buffer) => void;
  #close: () => void = () => {};

  constructor(wrote: (bytes: Buffer) => void) {
    this.#wrote = wrote;
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
  }

  /** As the driver sees it. */
  get asTransport(): Transport {
    return this as unknown as Transport;
  }

  opened(): Promise<void> {
    return Promise.resolve();
  }

  secure(): Promise<never> {
    return Promise.reject(new TypeError('no TLS in memory'));
  }

  write(bytes: Buffer): boolean {
    if (!this.ended) this.#wrote(bytes);
    return false;
  }

  /** The client says goodbye; the server closes too. */
  end(): void {
    queueMicrotask(() => this.finish(undefined));
  }

  destroy(): void {
    this.finish(undefined);
  }

  /** Brings bytes to the driver. */
  feed(bytes: Buffer): void {
    for (let at = 0; at < bytes.length && !this.ended; at += SHARED.length) {
      const length = bytes.copy(SHARED, 0, at, at + SHARED.length);
      const start = performance.now();
      this.onData(SHARED, length);
      this.longest = Math.max(this.longest, performance.now() - start);
      // What the driver has kept of it is not what it was any more.
      SHARED.fill(SCRIBBLE, 0, length);
    }
  }

  /** The connection is over, by an error or in order. */
  finish(error: Error | undefined): void {
    if (this.ended) return;
    this.ended = true;
    this.#close();
    queueMicrotask(() => this.onEnd(error));
  }
}
