// Cuts a byte stream of database messages into whole messages: one byte for the kind, four for the length, the body.
// A fault that is to strike at a certain message has to know where it begins and ends.

/** One whole message of a stream. */
export interface StreamFrame {
  /** The kind as a character; empty for the message that opens a session, which has none. */
  readonly type: string;
  readonly body: Buffer;
  /** All of it, head included. */
  readonly bytes: Buffer;
}

/** What opens a client's stream before its session: a question for encryption, after which another opening follows. */
const QUESTIONS: ReadonlySet<number> = new Set([80877103, 80877104]);

/** Cuts one direction of one connection. */
export class FrameCutter {
  #rest: Buffer = Buffer.alloc(0);
  #opening: boolean;

  /** `opening`: the stream begins with a message that has no kind, as a client's does. */
  constructor(opening: boolean) {
    this.#opening = opening;
  }

  /** Takes bytes and gives the messages that are whole now. */
  push(bytes: Buffer): StreamFrame[] {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const frames: StreamFrame[] = [];
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next(): StreamFrame | undefined {
    const rest = this.#rest;
    const head = this.#opening ? 0 : 1;
    if (rest.length < head + 4) return undefined;
    const end = head + Math.max(4, rest.readInt32BE(head));
    if (rest.length < end) return undefined;
    const type = this.#opening ? '' : String.fromCharCode(rest[0] as number);
    const body = rest.subarray(head + 4, end);
    if (this.#opening) this.#opening = end === 8 && QUESTIONS.has(body.readInt32BE(0));
    this.#rest = rest.subarray(end);
    return { type, body, bytes: rest.subarray(0, end) };
  }
}
