// A COPY or a cursor as a client uses it, to its end or not, and what it received on the way.
import type { DriverConnection, DriverStatement, Scalar } from '../../src/driver/driver.ts';
import type { Conversation, Stream } from './conversation.ts';
import { copyPiece } from './server.ts';

/** A stream under way. */
export interface Streaming {
  readonly exchange: number;
  readonly stream: Stream;
  readonly rows: Scalar[][];
  readonly chunks: Buffer[];
  state: 'pending' | 'resolved' | 'rejected';
  error: unknown;
}

/** What the client's own end of a stream throws. */
export const BROKEN = new TypeError('the other end broke');

async function copyOut(connection: DriverConnection, { exchange, stream, chunks }: Streaming): Promise<void> {
  await connection.copyTo?.(`copy t${exchange} to stdout`, (chunk) => {
    if (stream.throws && chunks.length > 0) throw BROKEN;
    chunks.push(Buffer.from(chunk));
    return chunks.length % 2 === 0 ? Promise.resolve() : undefined;
  });
}

async function copyIn(
  connection: DriverConnection,
  plan: Conversation,
  { exchange, stream }: Streaming,
): Promise<void> {
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < stream.amount; i += 1) {
      if (stream.throws && i > 0) throw BROKEN;
      yield copyPiece(plan, i);
      if (i % 3 === 0) await Promise.resolve();
    }
  }
  await connection.copyFrom?.(`copy t${exchange} from stdin`, source());
}

async function cursor(
  connection: DriverConnection,
  statement: DriverStatement,
  { stream, rows }: Streaming,
): Promise<void> {
  const open = await connection.openCursor?.(statement);
  for (let page = 0; page < stream.pages; page += 1) {
    const { rows: some, done } = (await open?.fetch(stream.page)) ?? { rows: [], done: true };
    rows.push(...some);
    if (done) break;
  }
  await open?.close();
}

/** Runs a stream. Never rejects: what came of it is in the record. */
export async function runStream(
  connection: DriverConnection,
  { plan, statement }: { readonly plan: Conversation; readonly statement: DriverStatement | undefined },
  streaming: Streaming,
): Promise<void> {
  try {
    if (streaming.stream.kind === 'copy out') await copyOut(connection, streaming);
    else if (streaming.stream.kind === 'copy in') await copyIn(connection, plan, streaming);
    else if (statement !== undefined) await cursor(connection, statement, streaming);
    streaming.state = 'resolved';
  } catch (error) {
    streaming.state = 'rejected';
    streaming.error = error;
  }
}
