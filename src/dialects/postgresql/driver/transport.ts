// The socket, and nothing but the socket: bytes in, bytes out, TLS on top when asked. Nobody outside the driver can
// reach it. On plain connections all sockets of the thread share one read buffer, so reading allocates nothing.
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { ConnectError } from '../../../errors/index.ts';
import type { KeepAlive } from './options.ts';

/** Where to connect: a TCP address or the path of a Unix socket. */
export interface TransportTarget {
  readonly host: string;
  readonly port: number;
  readonly path: string | undefined;
  readonly lookup: LookupFunction | undefined;
  readonly keepAlive: KeepAlive | false | undefined;
}

/** Milliseconds before the kernel asks a silent peer whether it is still there. */
const KEEP_ALIVE = 30_000;

/** `setKeepAlive` with the two arguments that older Node versions pass over. */
type FullKeepAlive = (enable: boolean, idle: number, interval?: number, count?: number) => void;

function keepAlive(socket: Socket, wanted: KeepAlive | false | undefined): void {
  if (wanted === false) return;
  const { idle = KEEP_ALIVE, interval, count } = wanted ?? {};
  (socket.setKeepAlive as FullKeepAlive).call(socket, true, idle, interval, count);
}

/** Read and consumed within one callback, so one is enough for the thread. */
const readBuffer = Buffer.allocUnsafeSlow(1 << 18);

export class Transport {
  /** Gets the bytes that arrive; they are valid only during the call. */
  onData: (bytes: Buffer, length: number) => void = () => {};
  /** Called once when the connection has ended, with the error if there was one. */
  onEnd: (error: Error | undefined) => void = () => {};
  readonly #raw: Socket;
  #socket: Socket;
  #ended = false;
  #error: Error | undefined;
  #closed: () => void = () => {};
  /** Settles when the socket is closed on this side. */
  readonly closed: Promise<void> = new Promise((resolve) => {
    this.#closed = resolve;
  });

  constructor(target: TransportTarget) {
    const onread = {
      buffer: readBuffer,
      callback: (length: number, bytes: Uint8Array) => this.#read(bytes as Buffer, length),
    };
    const { host, port, path, lookup } = target;
    const address = path === undefined ? { host, port, noDelay: true } : { path };
    this.#raw = connectTcp({ ...address, onread, ...(lookup === undefined ? {} : { lookup }) });
    this.#socket = this.#raw;
    this.#watch(this.#raw);
    this.#raw.once('close', this.#closed);
    if (path === undefined) this.#raw.once('connect', () => keepAlive(this.#raw, target.keepAlive));
  }

  /** Settles when the connection stands. */
  opened(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.onEnd = (error) => reject(error ?? new ConnectError('the server closed the connection at once'));
      this.#raw.once('connect', () => resolve());
    });
  }

  /** Puts TLS on top; settles when the handshake is done. */
  secure(options: ConnectionOptions): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const end = (error: Error | undefined): void =>
        reject(error ?? new ConnectError('the server closed the connection during the TLS handshake'));
      // It may have ended while certificates were read; nobody is told of that again.
      if (this.#ended) return end(this.#error);
      this.onEnd = end;
      const secured = connectTls({ ...options, socket: this.#raw });
      this.#socket = secured;
      this.#watch(secured);
      secured.on('data', (bytes: Buffer) => this.#read(bytes, bytes.length));
      secured.once('secureConnect', () => resolve(secured));
    });
  }

  /** Writes. True if the bytes are still needed when it returns, so they must not be changed. */
  write(bytes: Buffer): boolean {
    if (this.#ended) return true;
    this.#socket.write(bytes);
    return this.#socket.writableLength > 0;
  }

  /** Settles when the socket takes more, at the event loop's next turn at the earliest, or when the connection has ended. */
  drained(): Promise<void> {
    const socket = this.#socket;
    if (this.#ended || !socket.writableNeedDrain) return new Promise((resolve) => setImmediate(resolve));
    return new Promise((resolve) => {
      const done = (): void => {
        socket.off('drain', done);
        socket.off('close', done);
        resolve();
      };
      socket.on('drain', done);
      socket.on('close', done);
    });
  }

  /** Reads nothing more: what the other side sends piles up there. */
  hold(): void {
    this.#socket.pause();
  }

  /** Reads on. */
  release(): void {
    if (!this.#ended) this.#socket.resume();
  }

  /** Ends our side; the other side's end closes the connection. */
  end(): void {
    this.#socket.end();
  }

  destroy(error?: Error): void {
    this.#error ??= error;
    this.#socket.destroy();
    this.#raw.destroy();
    this.#finish();
  }

  #read(bytes: Buffer, length: number): boolean {
    if (!this.#ended) this.onData(bytes, length);
    return true;
  }

  #watch(socket: Socket): void {
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    // The other side's end is the end: nothing is said on half a connection.
    socket.on('end', () => this.#finish());
    socket.on('close', () => this.#finish());
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    // An error is emitted before close but after end: let it arrive.
    queueMicrotask(() => this.onEnd(this.#error));
  }
}

/** The name to check a certificate against: none for an address, which is checked as an address. */
export function serverName(host: string): string | undefined {
  return isIP(host) === 0 ? host : undefined;
}
