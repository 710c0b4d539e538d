// The entry of the watcher process. It tells its starter one word on standard output: where it listens, that another
// watcher has the data folder, or what is wrong.

import { openDataFolder } from './data-folder.ts';
import { errorRecord } from './embedded-error.ts';
import { LockFile } from './lock-file.ts';
import type { WatcherOrder } from './options.ts';
import { Watcher } from './watcher.ts';

async function main(): Promise<void> {
  process.umask(0o077);
  // The starter may be gone before it reads.
  process.stdout.on('error', () => undefined);
  const order = JSON.parse(process.argv[2] ?? '{}') as WatcherOrder;
  const data = openDataFolder(order.dataFolder);
  const lock = LockFile.acquire(data.lock);
  if (lock === undefined) {
    tell({ say: 'busy' });
    return;
  }
  try {
    tell({ say: 'listening', address: await new Watcher(data, order, lock).listen() });
  } catch (error) {
    lock.release();
    throw error;
  }
}

function tell(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

main().catch((error: unknown) => {
  tell({ say: 'failed', error: errorRecord(error, 'ATH_EMBEDDED_START') });
  process.exitCode = 1;
});
