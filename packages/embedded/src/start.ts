// Starts or joins the server of a data folder. Any number of processes may do so at once: they race for one watcher,
// and whoever loses joins the winner's.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DataFolder, openDataFolder, readRecord } from './data-folder.ts';
import { EmbeddedError } from './embedded-error.ts';
import { EmbeddedServer } from './embedded-server.ts';
import { GONE, Lease } from './lease.ts';
import { LockFile } from './lock-file.ts';
import { checkSettings, IDLE_STOP, type StartOptions, type TemporaryOptions, type WatcherOrder } from './options.ts';
import { spawnWatcher } from './spawn-watcher.ts';

const TIMEOUT = 60_000;
const POLL = 15;

interface Attempt {
  readonly data: DataFolder;
  readonly options: Omit<StartOptions, 'dataFolder'>;
  readonly order: WatcherOrder;
  /** Throws when the time is over or the caller gave up. */
  readonly check: () => void;
}

/**
 * Starts the PostgreSQL server of a data folder, or joins it when it runs. The server ends by itself when the last
 * process that holds it has released it or has died.
 * @throws EmbeddedError with one of its codes.
 */
export function start(options: StartOptions): Promise<EmbeddedServer> {
  return begin(options, false);
}

/** Starts a server on a new folder below the temporary one. The folder goes when the server ends. */
export async function startTemporary(options: TemporaryOptions = {}): Promise<EmbeddedServer> {
  const dataFolder = mkdtempSync(path.join(tmpdir(), 'athanor-data-'));
  try {
    return await begin({ idleStop: 0, ...options, dataFolder }, true);
  } catch (error) {
    rmSync(dataFolder, { recursive: true, force: true });
    throw error;
  }
}

async function begin(given: StartOptions, temporary: boolean): Promise<EmbeddedServer> {
  const { dataFolder, signal, timeout = TIMEOUT, ...options } = given;
  checkSettings(options.settings ?? {});
  const data = openDataFolder(dataFolder);
  const order: WatcherOrder = { ...options, dataFolder: data.folder, from: process.cwd(), temporary };
  const deadline = performance.now() + timeout;
  const check = (): void => checkPatience(data, { signal, timeout, deadline });
  const attempt = { data, options, order, check };
  for (;;) {
    check();
    const server = await tryOnce(attempt, given);
    if (server !== undefined) return server;
  }
}

async function tryOnce(attempt: Attempt, given: StartOptions): Promise<EmbeddedServer | undefined> {
  const address = readRecord(attempt.data)?.watcher;
  const open = address === undefined ? undefined : await Lease.open(address);
  const lease = open ?? (await leaseOfNewWatcher(attempt));
  if (lease === undefined) {
    await sleep(POLL);
    return undefined;
  }
  return await join(lease, attempt, given);
}

/** Starts a watcher, unless one is on its way already. */
async function leaseOfNewWatcher(attempt: Attempt): Promise<Lease | undefined> {
  if (LockFile.isTaken(attempt.data.lock)) return undefined;
  const word = await spawnWatcher(attempt.data, attempt.order);
  if (word.say === 'failed') throw new EmbeddedError(word.error.code, word.error.message);
  return word.say === 'listening' ? await Lease.open(word.address) : undefined;
}

async function join(lease: Lease, attempt: Attempt, given: StartOptions): Promise<EmbeddedServer | undefined> {
  const { idleStop = IDLE_STOP, version, tls, settings } = attempt.options;
  const giveUp = watchPatience(attempt, given, () => lease.abandon());
  try {
    const facts = await lease.request({ say: 'join', idleStop, version, tls, settings });
    if (facts !== GONE) return new EmbeddedServer(attempt.data, facts, lease);
    attempt.check();
    return undefined;
  } catch (error) {
    await lease.release();
    throw error;
  } finally {
    giveUp();
  }
}

/** Breaks a wait off when the caller's signal or time says so. Gives the way to end the watch. */
function watchPatience(attempt: Attempt, given: StartOptions, breakOff: () => void): () => void {
  const timer = setInterval(() => {
    try {
      attempt.check();
    } catch {
      breakOff();
    }
  }, 50);
  given.signal?.addEventListener('abort', breakOff, { once: true });
  return () => {
    clearInterval(timer);
    given.signal?.removeEventListener('abort', breakOff);
  };
}

interface Patience {
  readonly signal: AbortSignal | undefined;
  readonly timeout: number;
  readonly deadline: number;
}

function checkPatience(data: DataFolder, patience: Patience): void {
  if (patience.signal?.aborted === true) {
    const options = { cause: patience.signal.reason as unknown };
    throw new EmbeddedError('ATH_EMBEDDED_ABORTED', 'The start of the embedded server was given up.', options);
  }
  if (performance.now() < patience.deadline) return;
  const text = `The embedded server was not ready in ${patience.timeout} ms; see ${data.log}.`;
  throw new EmbeddedError('ATH_EMBEDDED_TIMEOUT', text);
}
