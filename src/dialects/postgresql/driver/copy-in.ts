// COPY FROM STDIN: data goes out at the pace the server takes it, in pieces of one size whatever the source gives, and
// ends in exactly one Sync, whichever side ends it.
import type { CopySource } from '../../../driver/driver.ts';
import { UsageError } from '../../../errors/index.ts';
import type { Frame } from '../wire/frame.ts';
import { BACKEND, FRONTEND, violation } from '../wire/protocol.ts';
import { type CopyEnd, CopyExchange } from './copy-exchange.ts';
import { FLUSH, SYNC } from '../wire/statement-messages.ts';

const HEADER = 5;
/** Bytes of data in one message. */
const PIECE = 1 << 16;
const DONE = Buffer.concat([Buffer.from([FRONTEND.copyDone, 0, 0, 0, 4]), SYNC]);
const FAIL = Buffer.concat([Buffer.from([FRONTEND.copyFail, 0, 0, 0, 5, 0]), SYNC]);

type SourceIterator = AsyncIterator<Uint8Array, unknown> | Iterator<Uint8Array, unknown>;

function iterate(source: CopySource): SourceIterator {
  if (typeof source !== 'object' || source === null) throw new UsageError('the source of COPY is no object');
  if (Symbol.asyncIterator in source) return source[Symbol.asyncIterator]();
  if (Symbol.iterator in source) return source[Symbol.iterator]();
  throw new UsageError('the source of COPY is nothing that can be iterated');
}

export class CopyIn extends CopyExchange {
  protected readonly opening: number = BACKEND.copyIn;
  // The server reads no Sync while it waits for data: it comes behind the data.
  protected readonly tail: Buffer = FLUSH;
  readonly #source: CopySource;
  #iterator: SourceIterator | undefined;
  #piece: Buffer = Buffer.alloc(0);
  #used = HEADER;
  /** Nothing more of the source is wanted. */
  #stopped = false;
  #synced = false;
  /** CopyDone was sent: only now may the server complete. */
  #finished = false;

  constructor(end: CopyEnd, source: CopySource) {
    super(end);
    this.#source = source;
  }

  protected begin(): void {
    if (this.#stopped) this.#sync(FAIL);
    else void this.#pump();
  }

  override answer(frame: Frame): string | undefined {
    if (frame.type === BACKEND.commandComplete && this.copying && !this.#finished)
      violation('a COPY completed before its end');
    const command = super.answer(frame);
    if (this.complete) this.#sync(SYNC);
    return command;
  }

  override fail(error: unknown): void {
    super.fail(error);
    this.#stop();
    this.#sync(SYNC);
  }

  override abort(): void {
    this.#stop();
    if (this.copying) this.#sync(FAIL);
  }

  override settle(): void {
    this.#stop();
    super.settle();
  }

  /** Never rejects: what the source throws is the COPY's failure. */
  async #pump(): Promise<void> {
    try {
      const iterator = iterate(this.#source);
      this.#iterator = iterator;
      for (;;) {
        const step = await iterator.next();
        if (this.#stopped) return;
        if (step.done === true) break;
        await this.#take(step.value);
      }
      this.#flush();
      this.#finished = true;
      this.#sync(DONE);
    } catch (error) {
      if (this.#stopped) return;
      this.error ??= error ?? new UsageError('the source of COPY threw nothing at all');
      this.#stop();
      this.#sync(FAIL);
    }
  }

  async #take(chunk: unknown): Promise<void> {
    if (!(chunk instanceof Uint8Array)) throw new UsageError('the source of COPY gave something else than bytes');
    for (let at = 0; at < chunk.length && !this.#stopped; ) {
      if (this.#piece.length === 0) this.#piece = Buffer.allocUnsafeSlow(HEADER + PIECE);
      const count = Math.min(chunk.length - at, this.#piece.length - this.#used);
      this.#piece.set(chunk.subarray(at, at + count), this.#used);
      this.#used += count;
      at += count;
      if (this.#used < this.#piece.length) continue;
      this.#flush();
      // Also gives the server's refusal a chance to be read.
      await this.link.drained();
    }
  }

  #flush(): void {
    if (this.#used === HEADER || this.#stopped) return;
    const piece = this.#piece.subarray(0, this.#used);
    piece[0] = FRONTEND.copyData;
    piece.writeInt32BE(this.#used - 1, 1);
    // The socket keeps it: the next piece has its own memory.
    this.#piece = Buffer.alloc(0);
    this.#used = HEADER;
    this.link.send(piece);
  }

  #sync(bytes: Buffer): void {
    if (this.#synced) return;
    this.#synced = true;
    this.link.send(bytes);
  }

  /** Lets the source clean up. What it throws then has nobody to go to: the COPY has its outcome. */
  #stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#piece = Buffer.alloc(0);
    const iterator = this.#iterator;
    if (iterator?.return === undefined || this.#finished) return;
    void (async () => iterator.return?.())().catch(() => {});
  }
}
