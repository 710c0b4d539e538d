// The port of the loopback server: the one it had before where that is free, so that a URL stays good over a restart.

import { createServer } from 'node:net';

function listenOn(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(undefined));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}

/** A free loopback port, `preferred` if it is free; undefined when none is to be had. */
export async function freePort(preferred: number | undefined): Promise<number | undefined> {
  const same = preferred === undefined ? undefined : await listenOn(preferred);
  return same ?? (await listenOn(0));
}
