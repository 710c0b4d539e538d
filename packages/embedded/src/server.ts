// One running PostgreSQL server: started here, or found alive and adopted. It knows when the server is ready and when
// it has ended, and how to end it without losing anything.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, fstatSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Binaries, programPath } from './binaries.ts';
import type { DataFolder } from './data-folder.ts';
import { EmbeddedError } from './embedded-error.ts';
import { readPostmasterFile } from './postmaster-file.ts';
import { isAlive } from './process-identity.ts';
import { handFolder, run, spawnError, spawnOptions } from './program.ts';
import type { Identity } from './reach.ts';

/** How a server is ended: after the running statements are broken off (`fast`), or at once as by a crash. */
export type StopMode = 'fast' | 'immediate';

/** What a server is started with. */
export interface Launch {
  readonly data: DataFolder;
  readonly binaries: Binaries;
  readonly who: Identity | undefined;
  readonly settings: Readonly<Record<string, string>>;
}

const LOG_LIMIT = 10 * 1024 * 1024;
const POLL = 4;
const READY_TIMEOUT = 120_000;
const STOP_TIMEOUT = 20_000;

/** A PostgreSQL server process. */
export class Server {
  readonly pid: number;
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;
  readonly #launch: Pick<Launch, 'data' | 'binaries'>;
  #isOver = false;

  private constructor(pid: number, ended: Promise<void>, launch: Pick<Launch, 'data' | 'binaries'>) {
    this.pid = pid;
    this.#launch = launch;
    this.ended = ended.then(() => {
      this.#isOver = true;
    });
  }

  /** Starts a server and waits until it takes connections. */
  static async start(launch: Launch): Promise<Server> {
    rotateLog(launch.data.log);
    const log = openSync(launch.data.log, 'a', 0o600);
    const logStart = fstatSync(log).size;
    const handle = handFolder(launch.data.cluster, launch.who);
    try {
      const parameters = Object.entries(launch.settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
      const file = programPath(launch.binaries, 'postgres');
      const extra = handle.descriptor === undefined ? [] : [handle.descriptor];
      const options = { ...spawnOptions(launch.who), stdio: ['ignore' as const, log, log, ...extra] };
      const child = spawn(file, ['-D', handle.path, ...parameters], options);
      const pid = await spawned(child, (error) => spawnError(error, file, launch.who));
      const server = new Server(pid, exitOf(child), launch);
      await server.#ready(() => logTail(launch.data.log, logStart));
      return server;
    } finally {
      handle.close();
      closeSync(log);
    }
  }

  /** Takes over a live server that another process started, once it is ready. */
  static async adopt(pid: number, launch: Pick<Launch, 'data' | 'binaries'>): Promise<Server> {
    const server = new Server(pid, goneByPolling(pid), launch);
    await server.#ready(() => 'The server that was found running ended.');
    return server;
  }

  /** Ends the server and waits until it is gone, by force when it does not go. */
  async stop(mode: StopMode): Promise<void> {
    const steps = mode === 'fast' ? ['SIGINT', 'SIGQUIT', 'SIGKILL'] : ['SIGQUIT', 'SIGKILL'];
    for (const signal of steps) {
      if (this.#isOver) return;
      await this.#signal(signal as NodeJS.Signals);
      const deadline = new AbortController();
      const timeout = sleep(STOP_TIMEOUT, undefined, { signal: deadline.signal }).catch(() => undefined);
      await Promise.race([this.ended, timeout]);
      deadline.abort();
    }
    if (!this.#isOver) throw new EmbeddedError('ATH_EMBEDDED_STOP', `The server (process ${this.pid}) does not end.`);
  }

  async #signal(signal: NodeJS.Signals): Promise<void> {
    if (process.platform === 'win32') {
      const mode = signal === 'SIGINT' ? 'fast' : 'immediate';
      const parameters = ['stop', '-D', this.#launch.data.cluster, '-m', mode, '-W'];
      await run({ file: programPath(this.#launch.binaries, 'pg_ctl'), parameters, who: undefined });
      return;
    }
    try {
      process.kill(this.pid, signal);
    } catch {
      // It ended in this very moment; `ended` tells.
    }
  }

  async #ready(why: () => string): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT;
    while (!this.#isOver) {
      const file = readPostmasterFile(this.#launch.data.cluster);
      if (file?.pid === this.pid && file.ready) return;
      if (performance.now() > deadline) {
        await this.stop('immediate');
        throw new EmbeddedError('ATH_EMBEDDED_TIMEOUT', `The server was not ready in ${READY_TIMEOUT / 1000} s.`);
      }
      await sleep(POLL);
    }
    throw new EmbeddedError('ATH_EMBEDDED_START', `PostgreSQL did not start:\n${why()}`);
  }
}

function spawned(child: ChildProcess, explain: (error: Error) => EmbeddedError): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(explain(error)));
    child.once('spawn', () => resolve(child.pid ?? 0));
  });
}

function exitOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
  });
}

async function goneByPolling(pid: number): Promise<void> {
  while (isAlive(pid)) await sleep(100);
}

/** Keeps one earlier log when the log has grown large. */
function rotateLog(log: string): void {
  if (existsSync(log) && statSync(log).size > LOG_LIMIT) renameSync(log, `${log}.1`);
}

function logTail(log: string, from: number): string {
  const lines = readFileSync(log).subarray(from).toString('utf8').trim().split('\n');
  const telling = lines.filter((line) => /FATAL|ERROR|PANIC|HINT|DETAIL|error while loading/.test(line));
  return (telling.length > 0 ? telling : lines).slice(-8).join('\n');
}
