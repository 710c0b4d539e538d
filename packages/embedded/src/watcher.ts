// The watcher is the one process that owns a server: it starts or adopts it, tells clients where it is, counts them by
// their open connections, and ends the server when nobody has used it for a while. It outlives every client, so the
// death of a main process, of a child or of all at once is no special case.

import { rmSync } from 'node:fs';
import { createServer, type Server as Listener, type Socket } from 'node:net';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { bringUp, type Running } from './bring-up.ts';
import { type DataFolder, readRecord, writeRecord } from './data-folder.ts';
import { EmbeddedError, errorRecord } from './embedded-error.ts';
import type { LockFile } from './lock-file.ts';
import { type ClientMessage, receive, send, type WatcherMessage } from './messages.ts';
import { IDLE_STOP, tlsMode, type WatcherOrder } from './options.ts';
import type { StopMode } from './server.ts';
import { makeSocketFolder, removeSocketFolder } from './socket-folder.ts';

/** How long the first client may take to come. */
const FIRST_CLIENT = 10_000;
const LOCK_CHECK = 2000;

/** Serves one data folder until nobody needs it. */
export class Watcher {
  readonly #data: DataFolder;
  readonly #order: WatcherOrder;
  readonly #lock: LockFile;
  readonly #clients: Set<Socket> = new Set();
  readonly #listener: Listener;
  readonly #socketFolder: string | undefined;
  #running: Promise<Running>;
  #idleStop: number;
  #idleTimer: NodeJS.Timeout | undefined;
  #lockTimer: NodeJS.Timeout | undefined;
  #failed = false;
  #phase: 'serving' | 'restarting' | 'ending' = 'serving';

  constructor(data: DataFolder, order: WatcherOrder, lock: LockFile) {
    this.#data = data;
    this.#order = order;
    this.#lock = lock;
    this.#idleStop = order.idleStop ?? IDLE_STOP;
    this.#socketFolder = makeSocketFolder(undefined);
    this.#listener = createServer((socket) => this.#welcome(socket));
    this.#running = new Promise(() => undefined);
  }

  /** Takes clients from now on and begins to bring the server up. Gives the address of its socket. */
  async listen(): Promise<string> {
    const address = this.#address();
    await new Promise<void>((resolve, reject) => {
      this.#listener.once('error', reject);
      this.#listener.listen(address, resolve);
    });
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => this.#finish('fast'));
    this.#lockTimer = setInterval(() => this.#checkLock(), LOCK_CHECK);
    this.#running = this.#bringUp(address);
    // Each client asks for the outcome and is told; a failure that was told ends the watcher.
    this.#running.catch(() => {
      this.#failed = true;
    });
    this.#idleTimer = setTimeout(() => this.#finish('fast'), FIRST_CLIENT);
    announce(this.#data, address);
    return address;
  }

  #address(): string {
    if (process.platform === 'win32') return `\\\\.\\pipe\\athanor-${randomBytes(12).toString('hex')}`;
    if (this.#socketFolder !== undefined) return path.join(this.#socketFolder, 'watcher');
    const text = 'No folder is short enough for a Unix socket: set TMPDIR to a shorter path.';
    throw new EmbeddedError('ATH_EMBEDDED_SOCKET', text);
  }

  async #bringUp(address: string): Promise<Running> {
    const running = await bringUp(this.#data, this.#order);
    const record = { ...running.record, watcher: address };
    writeRecord(this.#data, record);
    void running.server.ended.then(() => {
      if (this.#phase === 'serving') this.#finish('fast');
    });
    return { ...running, record };
  }

  #welcome(socket: Socket): void {
    if (this.#phase === 'ending') {
      socket.destroy();
      return;
    }
    clearTimeout(this.#idleTimer);
    this.#clients.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      this.#clients.delete(socket);
      if (this.#clients.size > 0) return;
      clearTimeout(this.#idleTimer);
      this.#idleTimer = setTimeout(() => this.#finish('fast'), this.#idleStop);
    });
    receive<ClientMessage>(socket, (message) => this.#answer(socket, message));
  }

  #answer(socket: Socket, message: ClientMessage): void {
    const work = this.#reply(message);
    const reply = work.catch((error: unknown): WatcherMessage => {
      return { say: 'failed', error: errorRecord(error, 'ATH_EMBEDDED_START') };
    });
    void reply.then((answer) => {
      send(socket, answer);
      if (this.#failed) this.#finish('fast');
    });
  }

  async #reply(message: ClientMessage): Promise<WatcherMessage> {
    if (message.say === 'stop') return this.#end(message.mode);
    if (message.say === 'restart') this.#running = this.#restart(message.mode);
    const running = await this.#running;
    if (message.say === 'join') {
      checkDemands(message, running);
      this.#idleStop = Math.max(this.#idleStop, message.idleStop);
    }
    return { say: 'ready', server: { record: running.record, pid: running.server.pid, major: running.major } };
  }

  async #restart(mode: StopMode): Promise<Running> {
    const before = await this.#running;
    this.#phase = 'restarting';
    await before.server.stop(mode);
    const running = await this.#bringUp(before.record.watcher ?? '');
    this.#phase = 'serving';
    return running;
  }

  #finish(mode: StopMode): void {
    this.#end(mode).catch((error: unknown) => {
      process.stderr.write(`athanor: ${errorRecord(error, 'ATH_EMBEDDED_STOP').message}\n`);
      process.exit(1);
    });
  }

  /** Ends the server, leaves the data folder as a stopped one, and ends this process. */
  async #end(mode: StopMode): Promise<WatcherMessage> {
    if (this.#phase === 'ending') return { say: 'stopped' };
    this.#phase = 'ending';
    // New clients find a closed door and start a watcher of their own, which waits for this one's lock.
    this.#listener.close();
    const running = await this.#running.catch(() => undefined);
    await running?.server.stop(mode);
    removeSocketFolder(running?.record.socketFolder);
    this.#leave(running);
    return { say: 'stopped' };
  }

  #leave(running: Running | undefined): void {
    removeSocketFolder(this.#socketFolder);
    if (this.#order.temporary) rmSync(this.#data.folder, { recursive: true, force: true, maxRetries: 3 });
    else if (running !== undefined && this.#lock.isHeld()) {
      writeRecord(this.#data, { ...running.record, watcher: undefined, socketFolder: undefined });
    }
    this.#lock.release();
    clearInterval(this.#lockTimer);
    setImmediate(() => {
      clearTimeout(this.#idleTimer);
      for (const client of this.#clients) client.end();
      // A client that does not close its side must not hold this process.
      setTimeout(() => process.exit(0), 200).unref();
    });
  }

  #checkLock(): void {
    // The data folder was removed under a running server: there is nothing left to keep.
    if (this.#phase === 'serving' && !this.#lock.isHeld()) this.#finish('immediate');
  }
}

/** Writes where the watcher listens before the server is up, so that others wait instead of starting. */
function announce(data: DataFolder, address: string): void {
  const before = readRecord(data);
  if (before === undefined) return;
  // Its watcher was killed: whoever holds the lock clears up after it.
  if (before.watcher !== undefined) removeSocketFolder(path.dirname(before.watcher));
  writeRecord(data, { ...before, watcher: address });
}

function checkDemands(message: Extract<ClientMessage, { say: 'join' }>, running: Running): void {
  const { record, major } = running;
  const differences: string[] = [];
  if (message.version !== undefined && message.version !== major) differences.push(`version ${major}`);
  if (message.tls !== undefined && tlsMode(message.tls) !== record.tls) differences.push(`tls ${record.tls}`);
  for (const [name, value] of Object.entries(message.settings ?? {})) {
    if (record.settings[name] !== value) differences.push(`${name} ${record.settings[name] ?? 'not set'}`);
  }
  if (differences.length === 0) return;
  const text = `A server of this data folder already runs with other options (${differences.join(', ')}): stop it first, or ask for the same.`;
  throw new EmbeddedError('ATH_EMBEDDED_SETTINGS', text);
}
