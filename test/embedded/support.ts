// What the tests of the embedded server share: folders of their own, children that hold a server, and waits that end.

import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { StartOptions } from '../../packages/embedded/src/index.ts';
import { open, run } from '../integration/postgresql-driver-kit.ts';

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

/** Statements over a connection of their own. Gives the rows of the last. */
export async function ask(url: string, ...statements: readonly string[]): Promise<Record<string, unknown>[]> {
  const connection = await open(url);
  try {
    let rows: Record<string, unknown>[] = [];
    for (const sql of statements) {
      const answer = await run(connection, sql);
      const names = (answer.fields ?? []).map((field) => field.name);
      rows = answer.rows.map((row) => Object.fromEntries(row.map((value, index) => [names[index] ?? '', value])));
    }
    return rows;
  } finally {
    await connection.close();
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
