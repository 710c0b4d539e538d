// What lies between the driver and the server of a conversation: bytes in memory, in pieces as small as a byte, in a
// buffer that is written over as soon as the driver has had it, as the real one is.
import type { TLSSocket } from 'node:tls';
import { ConnectError } from '../../src/errors/index.ts';
import type { Transport } from '../../src/dialects/postgresql/driver/transport.ts';

/** As little of a certificate as says that it is signed with SHA-256. */
const CERTIFICATE = Buffer.from('300f3000300b06092a864886f70d01010b', 'hex');
const SHARED = Buffer.alloc(1 << 18);
const SCRIBBLE = 0xee;

type CpuTime = () => { readonly user: number; readonly system: number };
const ofThread: CpuTime =
  (process as { threadCpuUsage?: CpuTime }).threadCpuUsage?.bind(process) ?? (() => process.cpuUsage());

/** Milliseconds this thread has worked; what others do on the same processor does not count. */
function busy(): number {
  const { user, system } = ofThread();
  return (user + system) / 1_000;
}

/** Takes a transport's place. */
export class MemoryTransport {
  onData: (bytes: Buffer, length: number) => void = () => {};
  onEnd: (error: Error | undefined) => void = () => {};
  readonly closed: Promise<void>;
  /** The longest the driver was busy with one piece, in ms. */
  longest = 0;
  ended = false;
  /** The driver wants nothing more for now. */
  held = false;
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

  /** Nothing is encrypted; there is only a certificate to bind to. */
  secure(): Promise<TLSSocket> {
    if (this.ended) return Promise.reject(new ConnectError('the line was cut'));
    return Promise.resolve({ getPeerCertificate: () => ({ raw: CERTIFICATE }) } as unknown as TLSSocket);
  }

  write(bytes: Buffer): boolean {
    if (!this.ended) this.#wrote(bytes);
    return false;
  }

  /** There is always room. */
  drained(): Promise<void> {
    return Promise.resolve();
  }

  hold(): void {
    this.held = true;
  }

  release(): void {
    this.held = false;
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
      const start = busy();
      this.onData(SHARED, length);
      this.longest = Math.max(this.longest, busy() - start);
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
