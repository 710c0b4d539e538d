// node-postgres reads inside the socket's own event: what its parser throws there, on bytes that are not PostgreSQL's,
// would end the process. It ends the connection instead.
import { ProtocolError } from '../../../errors/index.ts';
import { MessageLengths } from './message-lengths.ts';
import type { PgWire } from './pg-module.ts';

export interface Guard {
  /** The most bytes one message may have. */
  readonly most: number;
  readonly broken: (error: ProtocolError) => void;
}

/** Has whatever reads the connection's socket of the moment hand its failures to `broken`. */
export function guardReading({ stream }: PgWire, { most, broken }: Guard): void {
  const readers = stream.listeners('data') as ((bytes: Uint8Array) => void)[];
  stream.removeAllListeners('data');
  const lengths = new MessageLengths(most);
  stream.on('data', (bytes) => {
    try {
      lengths.read(bytes);
      for (const read of readers) read.call(stream, bytes);
    } catch (cause) {
      broken(
        cause instanceof ProtocolError
          ? cause
          : new ProtocolError('the server broke the protocol: a message that cannot be read', { cause }),
      );
    }
  });
}
