// The broker's wire: a four-byte length, then JSON. Small on purpose, so that no peer can make another allocate or
// parse much: a frame above the limit is an error before its body is read.
import { ProtocolError } from '../errors/index.ts';

/** Bytes a frame's body may have. */
export const MAX_FRAME = 4096;
const HEADER = 4;

/** One message as bytes. Throws `ProtocolError` (ATH_PROTOCOL) if it does not fit a frame. */
export function encodeFrame(message: object): Buffer {
  const body = JSON.stringify(message);
  const length = Buffer.byteLength(body);
  if (length > MAX_FRAME) throw new ProtocolError(`A message of ${length} bytes does not fit a frame of ${MAX_FRAME}.`);
  const frame = Buffer.allocUnsafe(HEADER + length);
  frame.writeUInt32BE(length, 0);
  frame.write(body, HEADER);
  return frame;
}

/** Cuts a byte stream into messages. What it holds back is never more than one frame. */
export class FrameReader {
  #held: Buffer = Buffer.alloc(0);

  /** The messages completed by `chunk`. Throws `ProtocolError` (ATH_PROTOCOL) on what is no frame; the stream is then of no more use. */
  *read(chunk: Uint8Array): Generator<unknown, void> {
    let rest: Buffer = this.#held.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#held, chunk]);
    while (rest.length >= HEADER) {
      const length = rest.readUInt32BE(0);
      if (length === 0 || length > MAX_FRAME) throw new ProtocolError(`A frame of ${length} bytes was announced.`);
      if (rest.length < HEADER + length) break;
      const body = rest.toString('utf8', HEADER, HEADER + length);
      rest = rest.subarray(HEADER + length);
      this.#held = rest;
      yield parse(body);
    }
    this.#held = Buffer.from(rest);
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch (cause) {
    throw new ProtocolError('A frame is not JSON.', { cause });
  }
}
