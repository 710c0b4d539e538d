// COPY TO STDOUT: what one read of the socket brought is given on as one chunk, and while the target has not taken it
// nothing more is read, so the server waits and no memory fills.
import type { CopyTarget } from '../../../driver/driver.ts';
import { UsageError } from '../../../errors/index.ts';
import type { Frame } from '../wire/frame.ts';
import { BACKEND, violation } from '../wire/protocol.ts';
import { type CopyEnd, CopyExchange } from './copy-exchange.ts';
import { SYNC } from '../wire/statement-messages.ts';

const CHUNK = 1 << 16;

export class CopyOut extends CopyExchange {
  protected readonly opening: number = BACKEND.copyOut;
  protected readonly tail: Buffer = SYNC;
  readonly #target: CopyTarget;
  #chunk: Buffer = Buffer.alloc(0);
  #used = 0;
  /** The target has not taken the last chunk yet. */
  #busy = false;
  #held = false;
  /** What comes is dropped. */
  #muted = false;
  /** CopyDone came: no data may follow, and only then the completion. */
  #over = false;
  #settled = false;

  constructor(end: CopyEnd, target: CopyTarget) {
    super(end);
    this.#target = target;
  }

  protected begin(): void {}

  override answer(frame: Frame): string | undefined {
    switch (frame.type) {
      case BACKEND.copyData:
        if (!this.copying || this.#over) violation('data of a COPY where none was due');
        if (!this.#muted) this.#keep(frame);
        return undefined;
      case BACKEND.copyDone:
        if (!this.copying || this.#over) violation('the end of a COPY where none was due');
        this.#over = true;
        this.#give();
        return undefined;
      default:
        if (frame.type === BACKEND.commandComplete && this.copying && !this.#over)
          violation('a COPY completed before its end');
        return super.answer(frame);
    }
  }

  override pause(): void {
    this.#give();
    if (!this.#busy || this.#held || this.#muted) return;
    this.#held = true;
    this.link.hold();
  }

  /** What is dropped from here on is missing, even if the server completes. */
  override abort(): void {
    this.error ??= this.cancelled(undefined);
    this.#mute();
  }

  override settle(): void {
    this.#settled = true;
    if (this.error !== undefined) this.#mute();
    // The last chunk may still be under way.
    if (!this.#busy) super.settle();
  }

  #keep({ bytes, start, end }: Frame): void {
    const need = this.#used + end - start;
    if (need > this.#chunk.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(need, this.#chunk.length * 2, CHUNK));
      this.#chunk.copy(larger, 0, 0, this.#used);
      this.#chunk = larger;
    }
    bytes.copy(this.#chunk, this.#used, start, end);
    this.#used = need;
  }

  #give(): void {
    if (this.#busy || this.#used === 0 || this.#muted) return;
    const chunk = this.#chunk.subarray(0, this.#used);
    this.#chunk = Buffer.alloc(0);
    this.#used = 0;
    try {
      const taken = this.#target(chunk);
      if (taken === undefined) return;
      this.#busy = true;
      taken.then(
        () => this.#taken(),
        (error: unknown) => this.#refused(error),
      );
    } catch (error) {
      this.#refused(error);
    }
  }

  #taken(): void {
    this.#busy = false;
    this.#give();
    if (this.#busy) return;
    this.#go();
    if (this.#settled) super.settle();
  }

  #refused(error: unknown): void {
    this.#busy = false;
    if (!this.#muted) this.error ??= error ?? new UsageError('the target of COPY threw nothing at all');
    this.#mute();
    if (this.#settled) super.settle();
    else this.link.stop(this);
  }

  #mute(): void {
    this.#muted = true;
    // Nobody waits for the target any more.
    this.#busy = false;
    this.#chunk = Buffer.alloc(0);
    this.#used = 0;
    this.#go();
  }

  #go(): void {
    if (!this.#held) return;
    this.#held = false;
    this.link.release();
  }
}
