// Cuts the server's byte stream into messages. Total by construction: a length that is too small or too large and a
// letter that does not exist are refused as soon as the header is there, and no more is buffered than what arrived.
import { Frame } from './frame.ts';
import { BACKEND, violation } from './protocol.ts';

const HEADER = 5;
const KEEP = 1 << 18;

const known = new Uint8Array(256);
for (const letter of Object.values(BACKEND)) known[letter] = 1;

/** Feeds `handle` with one frame after the other; what `handle` throws ends the reading and is thrown on. */
export class FrameReader {
  handle: (frame: Frame) => void;
  /** The most bytes one message may have. */
  limit: number;
  #stopped = false;
  /** The beginning of a message whose rest is still to come. */
  #carry: Buffer = Buffer.alloc(0);
  #have = 0;
  readonly #frame = new Frame(this.#carry);
  readonly #carried = new Frame(this.#carry);

  constructor(limit: number, handle: (frame: Frame) => void) {
    this.limit = limit;
    this.handle = handle;
  }

  /** No frame is handed out after this, not even of the bytes at hand. */
  stop(): void {
    this.#stopped = true;
    this.#carry = Buffer.alloc(0);
    this.#have = 0;
  }

  /** Takes the first `length` bytes. They are not kept. */
  push(bytes: Buffer, length: number): void {
    let at = 0;
    if (this.#have > 0) at = this.#complete(bytes, length);
    const frame = this.#frame;
    frame.use(bytes);
    while (length - at >= HEADER && !this.#stopped) {
      const size = this.#header(frame, at);
      const end = at + 1 + size;
      if (end > length) break;
      frame.start = at + HEADER;
      frame.end = end;
      at = end;
      this.handle(frame);
    }
    if (at < length && !this.#stopped) this.#keep(bytes, at, length);
  }

  /** Checks the header at `at`, sets the type, gives the size without the letter. */
  #header(frame: Frame, at: number): number {
    const type = frame.bytes[at] as number;
    const size = frame.view.getInt32(at + 1);
    if (known[type] === 0) violation(`a message of unknown type 0x${type.toString(16).padStart(2, '0')}`);
    if (size < 4 || size > this.limit) violation(`a message of ${size} bytes (at most ${this.limit} are accepted)`);
    frame.type = type;
    return size;
  }

  /** Brings the carried message to its end from new bytes; gives how many were used. */
  #complete(bytes: Buffer, length: number): number {
    let used = this.#take(bytes, 0, Math.min(length, HEADER - this.#have));
    if (this.#have < HEADER) return used;
    const frame = this.#carried;
    frame.use(this.#carry);
    const total = 1 + this.#header(frame, 0);
    used += this.#take(bytes, used, Math.min(length - used, total - this.#have));
    if (this.#have < total) return used;
    frame.use(this.#carry);
    frame.start = HEADER;
    frame.end = total;
    this.#have = 0;
    this.handle(frame);
    if (this.#carry.length > KEEP) this.#carry = Buffer.alloc(0);
    return used;
  }

  #keep(bytes: Buffer, at: number, length: number): void {
    this.#take(bytes, at, length - at);
  }

  #take(bytes: Buffer, at: number, count: number): number {
    if (count <= 0) return 0;
    const need = this.#have + count;
    if (need > this.#carry.length) {
      // Doubling keeps the copying linear; the announced size is not trusted with memory.
      const larger = Buffer.allocUnsafeSlow(Math.max(need, this.#carry.length * 2, 1024));
      this.#carry.copy(larger, 0, 0, this.#have);
      this.#carry = larger;
    }
    bytes.copy(this.#carry, this.#have, at, at + count);
    this.#have = need;
    return count;
  }
}
