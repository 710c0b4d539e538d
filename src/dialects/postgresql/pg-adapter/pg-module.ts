// What is used of node-postgres, in types of our own: it is an optional peer, so nothing here may need its types, and
// nothing is loaded before the first connection.
import { UsageError } from '../../../errors/index.ts';

const PACKAGE = 'pg';

/** What `pg` takes from a query object, the way pg-cursor and pg-query-stream hook in. */
export interface PgSubmittable {
  /** For tools that watch `query`. */
  readonly text: string;
  submit(connection: PgWire): undefined;
}

/** A message of the server as node-postgres reads it. Which members there are depends on `name`. */
export interface PgMessage {
  readonly name: string;
  readonly [member: string]: unknown;
}

/** The socket of the moment: TCP, a Unix socket or TLS. */
export interface PgStream {
  readonly writableNeedDrain?: boolean;
  /** Of TLS alone. */
  readonly alpnProtocol?: string | false | null;
  once(event: 'drain' | 'close', listener: () => void): unknown;
  off(event: 'drain' | 'close', listener: () => void): unknown;
  listeners(event: 'data'): unknown[];
  removeAllListeners(event: 'data'): unknown;
  on(event: 'data', listener: (bytes: Uint8Array) => void): unknown;
  cork?(): void;
  uncork?(): void;
  pause(): unknown;
  resume(): unknown;
  destroy(error?: Error): unknown;
}

interface PgEvents {
  message: (message: PgMessage) => void;
  error: (error: Error) => void;
  sslconnect: () => void;
  end: () => void;
}

/** The connection object inside a client: it writes single messages. */
export interface PgWire {
  readonly stream: PgStream;
  parse(message: { readonly name: string; readonly text: string }): void;
  describe(message: { readonly type: 'S' | 'P'; readonly name: string }): void;
  bind(message: {
    readonly portal: string;
    readonly statement: string;
    readonly values: readonly (string | null)[];
  }): void;
  execute(message: { readonly portal: string; readonly rows: number }): void;
  close(message: { readonly type: 'S' | 'P'; readonly name: string }): void;
  flush(): void;
  sync(): void;
  end(): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(reason: string): void;
  on<Name extends keyof PgEvents>(event: Name, listener: PgEvents[Name]): unknown;
}

export interface PgClient {
  readonly connection: PgWire;
  readonly processID: number | null;
  readonly secretKey: number | null;
  /** What is sent in the startup message. */
  getStartupConf(): Record<string, unknown>;
  connect(): Promise<unknown>;
  query(submittable: PgSubmittable): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

export interface PgModule {
  readonly Client: new (config: Readonly<Record<string, unknown>>) => PgClient;
}

/** node-postgres. UsageError where it is not installed. */
export async function loadPg(): Promise<PgModule> {
  try {
    const loaded = (await import(PACKAGE)) as PgModule & { readonly default?: PgModule };
    return loaded.default ?? loaded;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) throw error;
    throw new UsageError(`A postgresql+pg: URL needs the package ${PACKAGE}, which is not installed.`, {
      hint: `Run: npm install ${PACKAGE}; or leave +pg out: athanor has a driver of its own.`,
      cause: error,
    });
  }
}
