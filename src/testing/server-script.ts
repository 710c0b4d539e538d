// A server that says exactly what a script says: for peers that are hostile, damaged or merely slow, which no real
// server can be made to be.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { ConnectionLostError } from '../errors/index.ts';
import { FrameCutter, type StreamFrame } from './frame-cutter.ts';

/** One client of a scripted server. */
export interface ScriptedPeer {
  readonly socket: Socket;
  /** The next message of the client. Rejects with `ATH_CONNECTION_LOST` when it is gone. */
  next(): Promise<StreamFrame>;
  /** Reads up to a message of this kind, that one included. */
  until(type: string): Promise<StreamFrame[]>;
  send(...bytes: readonly Uint8Array[]): void;
  /** Settles when the client has hung up. */
  readonly gone: Promise<void>;
}

/** A server on loopback that follows a script. */
export interface ScriptedServer extends AsyncDisposable {
  readonly port: number;
  /** Connections so far. */
  readonly connections: number;
  close(): Promise<void>;
}

/** What a scripted server does with its n-th connection, counted from 1. */
export type ServerScript = (peer: ScriptedPeer, connection: number) => Promise<void> | void;

/** Runs the script for each connection. A script that fails, because its client left for one, ends its connection. */
export async function serveScript(script: ServerScript): Promise<ScriptedServer> {
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    connections += 1;
    const number = connections;
    void Promise.resolve(peerOf(socket))
      .then((peer) => script(peer, number))
      .catch(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function peerOf(socket: Socket): ScriptedPeer {
  const cutter = new FrameCutter(true);
  const frames: StreamFrame[] = [];
  let wake: (() => void) | undefined;
  socket.on('data', (bytes) => {
    frames.push(...cutter.push(bytes));
    wake?.();
  });
  socket.on('error', () => {});
  const gone = new Promise<void>((resolve) => {
    socket.on('close', () => {
      wake?.();
      resolve();
    });
  });
  async function next(): Promise<StreamFrame> {
    for (;;) {
      const frame = frames.shift();
      if (frame !== undefined) return frame;
      if (socket.destroyed) throw new ConnectionLostError('The client of a scripted server is gone.');
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  return {
    socket,
    next,
    async until(type) {
      const read = [await next()];
      while (read.at(-1)?.type !== type) read.push(await next());
      return read;
    },
    send: (...bytes) => {
      socket.write(Buffer.concat(bytes));
    },
    gone,
  };
}
