// node-postgres reads inside the socket's own event: what its parser throws there, on bytes that are not PostgreSQL's,
// would end the process. It ends the connection instead.
import { ProtocolError } from '../../../errors/index.ts';
import type { PgWire } from './pg-module.ts';

/** Has whatever reads the connection's socket of the moment hand its failures to `broken`. */
export function guardReading({ stream }: PgWire, broken: (error: ProtocolError) => void): void {
  const readers = stream.listeners('data') as ((bytes: Uint8Array) => void)[];
  stream.removeAllListeners('data');
  stream.on('data', (bytes) => {
    try {
      for (const read of readers) read.call(stream, bytes);
    } catch (cause) {
      broken(new ProtocolError('the server broke the protocol: a message that cannot be read', { cause }));
    }
  });
}
