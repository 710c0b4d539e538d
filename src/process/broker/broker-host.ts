// Starts and ends the broker threads of this process: at most one for each budget folder, kept while an engine of this
// process is open or another process is served, and never the reason why the process stays alive.
import { Worker } from 'node:worker_threads';
import { deserializeError } from '../../errors/serialize.ts';
import { BrokerLostError } from '../../errors/index.ts';
import { ownModule } from '../../primitives/own-module.ts';
import type { BrokerThreadData, BrokerThreadNews, BrokerThreadOrder } from './broker-thread.ts';
import { type MonitorSource, resolveMonitor } from './monitor-source.ts';

interface Host {
  readonly thread: Worker;
  readonly ended: Promise<void>;
}

const hosts = new Map<string, Host>();
const users = new Map<string, number>();

/** Whether this thread hosts the folder's broker, as far as it knows. */
export function isHosting(folder: string): boolean {
  return hosts.has(folder);
}

/** Counts an engine of this thread that lives under the folder's budget. */
export function useFolder(folder: string): void {
  users.set(folder, (users.get(folder) ?? 0) + 1);
  order(folder, { retire: false });
}

/** The last one to leave a folder asks its broker to retire, and waits a moment for it. True if no folder is used any more. */
export async function leaveFolder(folder: string): Promise<boolean> {
  const left = (users.get(folder) ?? 1) - 1;
  if (left > 0) {
    users.set(folder, left);
    return false;
  }
  users.delete(folder);
  const last = users.size === 0;
  const host = hosts.get(folder);
  if (host === undefined) return last;
  order(folder, { retire: true });
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, 1000);
  });
  await Promise.race([host.ended, enough]);
  clearTimeout(timer);
  return last;
}

/** Starts a broker thread. Resolves when it serves (`true`), or when another process was quicker. Rejects with what kept it from starting. */
export async function hostBroker(folder: string, source: MonitorSource): Promise<boolean> {
  const monitor = await resolveMonitor(source);
  const data: BrokerThreadData = { folder, monitor };
  const script = ownModule('process/broker/broker-thread');
  // Built code needs none of the flags its host was started with; sources may need the one that lets them run.
  const thread = new Worker(script, {
    workerData: data,
    name: 'athanor broker',
    ...(script.pathname.endsWith('.js') ? { execArgv: [] } : {}),
  });
  const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
  const host: Host = { thread, ended };
  const news = await firstNews(thread);
  if (news.type === 'failed') throw deserializeError(news.error);
  if (news.type === 'lost') return false;
  hosts.set(folder, host);
  void ended.then(() => {
    if (hosts.get(folder) === host) hosts.delete(folder);
  });
  thread.unref();
  return true;
}

function firstNews(thread: Worker): Promise<BrokerThreadNews> {
  return new Promise((resolve, reject) => {
    thread.once('message', resolve);
    // Stays for good: a thread that dies later must not take its host along. The processes it served see their lines end.
    thread.on('error', (cause) => {
      reject(new BrokerLostError('The broker thread failed.', { cause }));
    });
    thread.once('exit', () => reject(new BrokerLostError('The broker thread ended before it served.')));
  });
}

function order(folder: string, message: BrokerThreadOrder): void {
  hosts.get(folder)?.thread.postMessage(message);
}
