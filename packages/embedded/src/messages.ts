// What a client and the watcher say to each other: one JSON object a line, over a private socket. The open connection
// is the lease: the system closes it when the client dies, however it dies.

import type { Socket } from 'node:net';
import type { ServerRecord } from './data-folder.ts';
import type { EmbeddedErrorRecord } from './embedded-error.ts';
import type { StopMode } from './server.ts';

/** From a client. The first message is `join`. */
export type ClientMessage =
  | {
      readonly say: 'join';
      readonly idleStop: number;
      readonly version?: number | undefined;
      readonly tls?: boolean | 'offered' | undefined;
      readonly settings?: Readonly<Record<string, string>> | undefined;
    }
  | { readonly say: 'stop'; readonly mode: StopMode }
  | { readonly say: 'restart'; readonly mode: StopMode };

/** From the watcher, one for each message of a client. */
export type WatcherMessage =
  | { readonly say: 'ready'; readonly server: ServerFacts }
  | { readonly say: 'stopped' }
  | { readonly say: 'failed'; readonly error: EmbeddedErrorRecord };

/** A server as its clients know it. */
export interface ServerFacts {
  readonly record: ServerRecord;
  readonly pid: number;
  readonly major: number;
}

/** Sends one message. */
export function send(socket: Socket, message: ClientMessage | WatcherMessage): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
}

/** Calls back with each message that arrives. */
export function receive<Message>(socket: Socket, listener: (message: Message) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) listener(JSON.parse(line) as Message);
  });
}
