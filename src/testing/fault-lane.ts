// One direction of one connection through a fault proxy. Bytes are never lost, as they never are on a real network
// between two live ends: they are late, held, damaged, or the connection ends.
import type { Socket } from 'node:net';
import type { Way } from './fault-order.ts';
import type { FaultRules } from './fault-rules.ts';
import { FrameCutter } from './frame-cutter.ts';

export interface LaneOptions {
  readonly way: Way;
  readonly rules: FaultRules;
  readonly to: Socket;
  /** Whole messages are passed on, so that one can be held. */
  readonly framed: boolean;
  /** A `cutAfter` was reached. */
  cut(): void;
}

interface Parcel {
  readonly bytes: Buffer;
  /** Not to be sent before, by `performance.now()`. */
  readonly due: number;
}

export class FaultLane {
  readonly #options: LaneOptions;
  readonly #cutter: FrameCutter | undefined;
  #queue: Parcel[] = [];
  #held: Buffer[] | undefined;
  #ended = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#cutter = options.framed ? new FrameCutter(options.way === 'up') : undefined;
  }

  /** Bytes arrived. */
  receive(bytes: Buffer): void {
    const { way, rules } = this.#options;
    if (this.#stopped) return undefined;
    rules.moved(way);
    if (this.#cutter === undefined) return this.#send(bytes);
    for (const frame of this.#cutter.push(bytes)) {
      if (this.#held === undefined && rules.holds(way, frame)) this.#held = [];
      if (this.#held === undefined) this.#send(frame.bytes);
      else this.#held.push(frame.bytes);
    }
  }

  /** The sender ended: so does the receiver, behind what is still under way. */
  end(): void {
    this.#ended = true;
    this.#pump();
  }

  /** Faults have changed: what may go on goes on. */
  resume(): void {
    if (this.#held !== undefined && !this.#options.rules.holding) {
      const held = this.#held;
      this.#held = undefined;
      for (const bytes of held) this.#send(bytes);
    }
    this.#pump();
  }

  /** The connection was cut: whatever else comes goes nowhere. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#queue = [];
    this.#held = undefined;
  }

  #send(bytes: Buffer): void {
    const { way, rules } = this.#options;
    const damaged = rules.damaged(way, bytes);
    const last = this.#queue.at(-1)?.due ?? 0;
    const due = rules.delay === undefined ? 0 : Math.max(last, performance.now() + rules.late());
    this.#queue.push({ bytes: damaged, due });
    this.#pump();
  }

  #pump(): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return undefined;
    const { way, rules, to } = this.#options;
    while (this.#queue.length > 0 && !rules.silent(way)) {
      const { bytes, due } = this.#queue[0] as Parcel;
      const wait = due - performance.now();
      if (wait > 0) return this.#later(wait);
      const pace = rules.pace(way);
      const piece = pace === undefined ? bytes : bytes.subarray(0, pace.bytes);
      if (piece.length === bytes.length) this.#queue.shift();
      else this.#queue[0] = { bytes: bytes.subarray(piece.length), due };
      if (!this.#write(piece)) return;
      if (pace !== undefined) return this.#later(pace.every);
    }
    if (this.#ended && this.#queue.length === 0 && this.#held === undefined && !rules.silent(way)) to.end();
  }

  /** False when the connection was cut at these bytes. */
  #write(bytes: Buffer): boolean {
    const { way, rules, to } = this.#options;
    const passing = rules.passing(way, bytes.length);
    if (passing > 0) to.write(bytes.subarray(0, passing));
    if (!rules.cutNow(way)) return true;
    this.#options.cut();
    return false;
  }

  #later(milliseconds: number): void {
    this.#timer = setTimeout(() => this.#pump(), milliseconds);
  }
}
