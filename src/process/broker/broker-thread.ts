// Where a broker runs: a thread of its own, so that its host's work cannot stall the other processes.
import { parentPort, workerData } from 'node:worker_threads';
import type { ServerMonitor } from '../../driver/monitor.ts';
import { serializeError, type SerializedError } from '../../errors/serialize.ts';
import { BrokerServer } from './broker-server.ts';
import type { MonitorSource } from './monitor-source.ts';

/** What the thread is started with. */
export interface BrokerThreadData {
  readonly folder: string;
  readonly monitor: MonitorSource;
}

/** What the thread says. After `lost` and `failed` it ends. */
export type BrokerThreadNews =
  | { readonly type: 'serving'; readonly epoch: number }
  | { readonly type: 'lost' }
  | { readonly type: 'failed'; readonly error: SerializedError };

/** What the thread is told. */
export interface BrokerThreadOrder {
  readonly retire: boolean;
}

async function serve(data: BrokerThreadData): Promise<BrokerThreadNews> {
  const module = (await import(data.monitor.module)) as { openMonitor: (options: unknown) => ServerMonitor };
  const server = await BrokerServer.start({
    folder: data.folder,
    openMonitor: () => module.openMonitor(data.monitor.options),
    onStop: () => parentPort?.close(),
  });
  if (server === undefined) return { type: 'lost' };
  parentPort?.on('message', ({ retire }: BrokerThreadOrder) => server.retire(retire));
  return { type: 'serving', epoch: server.epoch };
}

function tell(news: BrokerThreadNews): void {
  parentPort?.postMessage(news);
}

serve(workerData as BrokerThreadData).then(tell, (error: unknown) => {
  tell({ type: 'failed', error: serializeError(error) });
});
