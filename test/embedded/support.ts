// What the tests of the embedded server share: folders of their own, children that hold a server, and waits that end.

import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { StartOptions } from '../../packages/embedded/src/index.ts';

/** A new folder whose name has a space. */
export function newFolder(): string {
  return path.join(mkdtempSync(path.join(tmpdir(), 'athanor test ')), 'my data');
}

const holders = new Set<ChildProcess>();

/** Ends the holders that a failed test left. */
export function endHolders(): void {
  for (const child of holders) child.kill('SIGKILL');
}

/** What a holder said. */
export interface Held {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly port: number;
  readonly url: string;
  readonly code?: string;
  readonly message?: string;
}

/** Starts a process that holds the server of a folder. */
export async function hold(options: StartOptions, spawnOptions: SpawnOptions = {}): Promise<Held> {
  const program = fileURLToPath(new URL('./program/holder.ts', import.meta.url));
  const child = spawn(process.execPath, [program, JSON.stringify(options)], {
    ...spawnOptions,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  holders.add(child);
  child.once('exit', () => holders.delete(child));
  if (child.stdout === null) throw new TypeError('The holder has no output.');
  const lines = createInterface({ input: child.stdout });
  const [line] = (await once(lines, 'line')) as [string];
  return { child, ...(JSON.parse(line) as Omit<Held, 'child'>) };
}

/** Ends a holder by a signal and waits for it. */
export async function kill(held: Held, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  const exit = once(held.child, 'exit');
  held.child.kill(signal);
  await exit;
}

/** One statement over a connection of its own. */
export async function ask<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Whether a process runs; one that nobody has collected yet does not. */
export function runs(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return false;
  }
}

/** Waits until something holds, at most `limit` milliseconds. */
export async function until(what: () => boolean, limit = 15_000): Promise<void> {
  const deadline = performance.now() + limit;
  while (!what()) {
    if (performance.now() > deadline) throw new RangeError('What was waited for did not come.');
    await sleep(10);
  }
}

/** The pid of the watcher that holds a data folder. */
export function watcherOf(dataFolder: string): number {
  return Number(readFileSync(path.join(dataFolder, 'watcher.lock'), 'utf8').split(' ')[0]);
}
