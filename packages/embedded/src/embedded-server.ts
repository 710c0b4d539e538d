// What a caller holds: where the server is, and the right to it.

import path from 'node:path';
import type { DataFolder } from './data-folder.ts';
import { EmbeddedError } from './embedded-error.ts';
import { GONE, type Lease } from './lease.ts';
import type { ServerFacts } from './messages.ts';
import type { StopMode } from './server.ts';

/** A running PostgreSQL server on this machine. It ends by itself when no process holds it any more. */
export class EmbeddedServer {
  readonly dataFolder: string;
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** The major version. */
  readonly version: number;
  /** The private folder of the Unix socket; undefined on Windows. */
  readonly socketFolder: string | undefined;
  readonly logFile: string;
  /** What `sslrootcert` names; undefined without TLS. */
  readonly certificateFile: string | undefined;
  readonly #lease: Lease;
  #pid: number;

  constructor(data: DataFolder, facts: ServerFacts, lease: Lease) {
    const { record } = facts;
    this.dataFolder = data.folder;
    this.port = record.port;
    this.user = record.user;
    this.password = record.password;
    this.database = record.database;
    this.version = facts.major;
    this.socketFolder = record.socketFolder;
    this.logFile = data.log;
    this.certificateFile = record.tls === 'off' ? undefined : data.certificate;
    this.#pid = facts.pid;
    this.#lease = lease;
    // The password stays out of what a console prints.
    Object.defineProperty(this, 'password', { value: record.password, enumerable: false });
  }

  /** The process id of the server. */
  get pid(): number {
    return this.#pid;
  }

  /** The URL over loopback TCP, verified in full where the server has TLS. It holds the password. */
  get url(): string {
    const root = this.certificateFile;
    const mode = root === undefined ? 'sslmode=disable' : `sslmode=verify-full&sslrootcert=${encodeURIComponent(root)}`;
    return `postgresql://${this.user}:${this.password}@${this.host}:${this.port}/${this.database}?${mode}`;
  }

  /** The URL over the Unix socket, without TLS; undefined where there is none. It holds the password. */
  get socketUrl(): string | undefined {
    if (this.socketFolder === undefined) return undefined;
    const host = encodeURIComponent(this.socketFolder);
    return `postgresql://${this.user}:${this.password}@/${this.database}?host=${host}&port=${this.port}`;
  }

  /** Whether the server is still held by this object. */
  get isHeld(): boolean {
    return this.#lease.isOpen;
  }

  /** Gives the server back. It ends when nobody else holds it for `idleStop` milliseconds. */
  async release(): Promise<void> {
    await this.#lease.release();
  }

  /** Ends the server now, for everybody, and waits until it is gone. */
  async stop(mode: StopMode = 'fast'): Promise<void> {
    await this.#lease.request({ say: 'stop', mode });
    await this.#lease.closed();
  }

  /**
   * Ends the server and starts it again on the same port, as `stop` and `start` would but without giving it back.
   * @throws EmbeddedError `ATH_EMBEDDED_LOST` when the server is no longer there.
   */
  async restart(mode: StopMode = 'fast'): Promise<void> {
    const facts = await this.#lease.request({ say: 'restart', mode });
    if (facts === GONE) {
      const name = path.basename(this.dataFolder);
      throw new EmbeddedError('ATH_EMBEDDED_LOST', `The embedded server of ${name} has ended: start it again.`);
    }
    this.#pid = facts.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }
}
