// COPY FROM STDIN: the source is asked for the next piece when the socket has taken the last one.
import type { CopySource } from '../../../driver/copy.ts';
import type { Completion } from '../../../driver/driver.ts';
import { UsageError } from '../../../errors/index.ts';
import { cancelledBy } from '../driver/cancelled.ts';
import { parseTag } from '../wire/completion-tag.ts';
import { violation } from '../wire/protocol.ts';
import { checkSql } from './encode-values.ts';
import { Exchange, type Write } from './exchange.ts';
import type { PgMessage, PgWire } from './pg-module.ts';

/** Bytes of one message at most. */
const PIECE = 1 << 16;

function drained({ stream }: PgWire): Promise<void> {
  if (stream.writableNeedDrain !== true) return Promise.resolve();
  return new Promise((resolve) => {
    const go = (): void => {
      stream.off('drain', go);
      stream.off('close', go);
      resolve();
    };
    stream.once('drain', go);
    stream.once('close', go);
  });
}

export class CopyIn extends Exchange {
  readonly statements: readonly string[];
  completion: Completion | undefined;
  readonly #source: CopySource;
  #wire: PgWire | undefined;
  #copying = false;
  /** Nothing more of the source is wanted. */
  #stopped = false;
  #synced = false;

  constructor(sql: string, source: CopySource, signal: AbortSignal | undefined) {
    super(signal);
    this.statements = [sql];
    this.#source = source;
  }

  compose(): Write {
    const sql = this.statements[0] as string;
    checkSql(sql);
    return (wire) => {
      this.#wire = wire;
      wire.parse({ name: '', text: sql });
      wire.bind({ portal: '', statement: '', values: [] });
      wire.execute({ portal: '', rows: 0 });
      // A Sync before the data would be taken for a part of it.
      wire.flush();
    };
  }

  answer(message: PgMessage): string | undefined {
    switch (message.name) {
      case 'copyInResponse':
        this.#copying = true;
        if (this.#stopped) this.#refuseData('cancelled');
        else void this.#pump();
        return undefined;
      case 'commandComplete': {
        const tag = parseTag(String(message['text']));
        this.complete = true;
        this.completion = { command: tag.command, count: tag.count };
        if (!this.#copying)
          this.fail(new UsageError(`copyFrom takes COPY ... FROM STDIN, and this was ${tag.command}`));
        return tag.command;
      }
      case 'emptyQuery':
        this.fail(new UsageError('copyFrom takes COPY ... FROM STDIN, and this was nothing'));
        return undefined;
      case 'parseComplete':
      case 'bindComplete':
      case 'dataRow':
      case 'copyOutResponse':
      case 'copyData':
      case 'copyDone':
        return undefined;
      default:
        return violation(`message '${message.name}' in the answer to COPY`);
    }
  }

  override fail(error: unknown): void {
    super.fail(error);
    this.#stopped = true;
    this.#sync();
  }

  /** A cancel request does not reach a server that waits for data: the data has to end. */
  override aborted(): void {
    this.#giveUp(cancelledBy(this.signal, undefined), 'cancelled');
  }

  override finish(): void {
    this.#stopped = true;
    super.finish();
  }

  async #pump(): Promise<void> {
    const wire = this.#wire as PgWire;
    try {
      for await (const chunk of this.#source) {
        if (!(chunk instanceof Uint8Array)) throw new UsageError('COPY takes its data as Uint8Array');
        for (let at = 0; at < chunk.length && !this.#stopped; at += PIECE) {
          wire.sendCopyFromChunk(Buffer.from(chunk.subarray(at, at + PIECE)));
          await drained(wire);
        }
        if (this.#stopped) return;
      }
    } catch (error) {
      return this.#giveUp(error, 'the source of the data failed');
    }
    if (this.#stopped) return;
    this.#stopped = true;
    wire.endCopyFrom();
    this.#sync();
  }

  #giveUp(error: unknown, reason: string): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.error ??= error;
    // Before the server waits for data a Sync might be taken for a part of it: then its answer decides.
    if (this.#copying) this.#refuseData(reason);
  }

  #refuseData(reason: string): void {
    this.#wire?.sendCopyFail(reason);
    this.#sync();
  }

  #sync(): void {
    if (this.#synced) return;
    this.#synced = true;
    this.#wire?.sync();
  }
}
