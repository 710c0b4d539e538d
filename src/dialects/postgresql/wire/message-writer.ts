// Builds what goes to the server in one growing buffer, so that a whole batch becomes one write to the socket.
// Everything that could smuggle a second field into a message is refused here: NUL bytes and lone surrogates.
import { DataError } from '../../../errors/index.ts';

const INITIAL = 4096;
const SHRINK_ABOVE = 1 << 20;

const isWellFormed = (text: string): boolean => (text as string & { isWellFormed(): boolean }).isWellFormed();

/** Why `text` cannot be sent, or undefined if it can. */
export function textProblem(text: string): string | undefined {
  if (text.includes('\0')) return 'contains a NUL character, which PostgreSQL text cannot hold';
  if (!isWellFormed(text)) return 'contains half of a surrogate pair, which is not text';
  return undefined;
}

export class MessageWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(INITIAL);
  offset = 0;

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const need = this.offset + count;
    if (need <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(need, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.offset);
    this.#bytes = larger;
  }

  /** Starts a message; give what this returns to `end`. */
  begin(type: number): number {
    this.reserve(5);
    this.#bytes[this.offset] = type;
    const at = this.offset + 1;
    this.offset += 5;
    return at;
  }

  /** Writes the length of what was written since `at`, into the four bytes at `at`. The length counts itself. */
  end(at: number): void {
    this.patchInt32(at, this.offset - at);
  }

  int16(value: number): void {
    this.reserve(2);
    const bytes = this.#bytes;
    bytes[this.offset++] = value >> 8;
    bytes[this.offset++] = value;
  }

  int32(value: number): void {
    this.reserve(4);
    this.patchInt32(this.offset, value);
    this.offset += 4;
  }

  byte(value: number): void {
    this.reserve(1);
    this.#bytes[this.offset++] = value;
  }

  /** A 64-bit integer from its halves. */
  int64(high: number, low: number): void {
    this.int32(high);
    this.int32(low);
  }

  bigInt64(value: bigint): void {
    this.reserve(8);
    this.#bytes.writeBigInt64BE(value, this.offset);
    this.offset += 8;
  }

  float64(value: number): void {
    this.reserve(8);
    this.#bytes.writeDoubleBE(value, this.offset);
    this.offset += 8;
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.#bytes.set(bytes, this.offset);
    this.offset += bytes.length;
  }

  /** Text ended by NUL. The caller has checked that there is none inside. */
  cString(text: string): void {
    this.reserve(text.length * 3 + 1);
    this.offset += this.#bytes.write(text, this.offset);
    this.#bytes[this.offset++] = 0;
  }

  /** A value: its length in bytes, then its UTF-8. */
  text(value: string): void {
    const problem = textProblem(value);
    if (problem !== undefined) throw new DataError(problem);
    this.reserve(value.length * 3 + 4);
    const written = this.#bytes.write(value, this.offset + 4);
    this.patchInt32(this.offset, written);
    this.offset += written + 4;
  }

  /** UTF-8 without a length. */
  rawText(value: string): void {
    const problem = textProblem(value);
    if (problem !== undefined) throw new DataError(problem);
    this.reserve(value.length * 3);
    this.offset += this.#bytes.write(value, this.offset);
  }

  patchInt32(at: number, value: number): void {
    const bytes = this.#bytes;
    bytes[at] = value >> 24;
    bytes[at + 1] = value >> 16;
    bytes[at + 2] = value >> 8;
    bytes[at + 3] = value;
  }

  /** Sets the low byte of a 16-bit field written as zero. */
  patchLowByte(at: number, value: number): void {
    this.#bytes[at + 1] = value;
  }

  /** What was written. Valid until the next call of anything here. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.offset);
  }

  /** Starts over. `taken` says that somebody still reads the old bytes, so they must not be written over. */
  reset(taken: boolean): void {
    if (taken || this.#bytes.length > SHRINK_ABOVE) this.#bytes = Buffer.allocUnsafeSlow(INITIAL);
    this.offset = 0;
  }
}
