// node-postgres believes every length it is told and gathers bytes until they are there. The lengths are read beside it,
// so that a damaged one ends the connection instead of waiting for ever.
import { violation } from '../wire/protocol.ts';

const HEADER = 5;

export class MessageLengths {
  readonly #most: number;
  readonly #header = Buffer.alloc(HEADER);
  /** Bytes of the next header that are here. */
  #have = 0;
  /** Bytes of the message that are still to come. */
  #left = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** The next bytes of the stream. ProtocolError where a length cannot be. */
  read(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#left > 0) {
        const passed = Math.min(this.#left, bytes.length - at);
        this.#left -= passed;
        at += passed;
        continue;
      }
      this.#header[this.#have] = bytes[at] as number;
      at += 1;
      this.#have += 1;
      if (this.#have === HEADER) this.#begin();
    }
  }

  #begin(): void {
    const length = this.#header.readInt32BE(1);
    if (length < 4 || length > this.#most) violation(`a message of ${length} bytes`);
    this.#left = length - 4;
    this.#have = 0;
  }
}
