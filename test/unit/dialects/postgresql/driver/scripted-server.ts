// A peer that speaks as much of PostgreSQL's protocol as a test tells it to, and anything else just as well.
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

/** A message of the server. */
export function message(type: string, ...parts: readonly (Buffer | string | number)[]): Buffer {
  const body = Buffer.concat(parts.map(bytesOf));
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/** A string is ended by NUL, a number has four bytes. */
function bytesOf(part: Buffer | string | number): Buffer {
  if (typeof part === 'string') return Buffer.from(`${part}\0`);
  if (typeof part !== 'number') return part;
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(part);
  return bytes;
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

export const READY: Buffer = message('Z', Buffer.from('I'));
export const LOGGED_IN: Buffer = Buffer.concat([message('R', 0), message('K', 4242, 99), READY]);

/** RowDescription of columns of the given types. */
export function described(...types: readonly number[]): Buffer {
  return message(
    'T',
    int16(types.length),
    ...types.flatMap((type, i) => [`c${i}`, 0, int16(0), type, int16(4), -1, int16(0)]),
  );
}

/** DataRow of texts. */
export function row(...values: readonly string[]): Buffer {
  return message('D', int16(values.length), ...values.flatMap((value) => [value.length, Buffer.from(value)]));
}

export function errorMessage(code: string, text: string, severity = 'ERROR'): Buffer {
  return message('E', Buffer.from(`S${severity}\0V${severity}\0C${code}\0M${text}\0\0`));
}

/** The answer to one unprepared statement, up to its rows. */
export function begun(...types: readonly number[]): Buffer {
  return Buffer.concat([message('1'), message('t', int16(0)), described(...types), message('2')]);
}

/** One complete frame of the client; the startup message has type ''. */
export interface ClientFrame {
  readonly type: string;
  readonly body: Buffer;
}

export interface Peer {
  readonly socket: Socket;
  /** The next message of the client. Rejects when it is gone. */
  next(): Promise<ClientFrame>;
  /** Reads up to a Sync. */
  sync(): Promise<ClientFrame[]>;
  send(...bytes: readonly Buffer[]): void;
  /** Startup without questions, then the three statements every session begins with. */
  login(): Promise<void>;
}

function peer(socket: Socket): Peer {
  let buffered = Buffer.alloc(0);
  let begun = false;
  const frames: ClientFrame[] = [];
  let wake: (() => void) | undefined;
  let gone = false;
  socket.on('data', (bytes) => {
    buffered = Buffer.concat([buffered, bytes]);
    for (;;) {
      const head = begun ? 1 : 0;
      if (buffered.length < head + 4) break;
      const end = head + buffered.readInt32BE(head);
      if (buffered.length < end) break;
      frames.push({
        type: begun ? String.fromCharCode(buffered[0] as number) : '',
        body: buffered.subarray(head + 4, end),
      });
      // The TLS question is no startup message: one follows.
      begun = begun || !(end === 8 && buffered.readInt32BE(4) === 80877103);
      buffered = buffered.subarray(end);
    }
    wake?.();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    gone = true;
    wake?.();
  });
  const self: Peer = {
    socket,
    async next() {
      for (;;) {
        const frame = frames.shift();
        if (frame !== undefined) return frame;
        if (gone) throw new Error('the client is gone');
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    async sync() {
      const read: ClientFrame[] = [];
      for (;;) {
        const frame = await self.next();
        read.push(frame);
        if (frame.type === 'S') return read;
      }
    },
    send: (...bytes) => {
      socket.write(Buffer.concat(bytes));
    },
    async login() {
      await self.next();
      self.send(LOGGED_IN);
      for (let i = 0; i < 3; i++) {
        await self.sync();
        self.send(answerHead(), message('C', 'SELECT 0'), READY);
      }
    },
  };
  return self;
}

export interface ScriptedServer extends AsyncDisposable {
  readonly port: number;
  /** Connections so far. */
  readonly connections: number;
  close(): Promise<void>;
}

/** Runs `script` for each connection; its failures because the client left are not interesting. */
export async function scriptedServer(
  script: (peer: Peer, connection: number) => Promise<void> | void,
): Promise<ScriptedServer> {
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    connections += 1;
    Promise.resolve(script(peer(socket), connections)).catch(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
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

function answerHead(): Buffer {
  return begun(25);
}
