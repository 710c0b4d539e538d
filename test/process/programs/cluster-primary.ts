// A cluster primary that never touches the database: its four workers each ask ten things at once.
import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';

cluster.setupPrimary({ exec: fileURLToPath(new URL('./ten-queries.ts', import.meta.url)), silent: true });
const reports = await Promise.all(
  Array.from(
    { length: 4 },
    () =>
      new Promise<string>((resolve) => {
        const worker = cluster.fork();
        let text = '';
        worker.process.stdout?.on('data', (chunk: Buffer) => {
          text += chunk.toString();
          // A worker is held by its channel to the primary until one of them lets go.
          if (text.endsWith('\n')) worker.disconnect();
        });
        worker.process.stderr?.pipe(process.stderr);
        worker.process.once('close', () => resolve(text));
      }),
  ),
);
for (const report of reports) process.stdout.write(report);
process.exit(0);
