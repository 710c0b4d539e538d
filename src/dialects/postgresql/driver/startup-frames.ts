// The messages of a session's first moments as something to await. They are copied, because they outlive the read
// they came with, and bounded, because they come from somebody who has not proved anything yet.
import { ConnectError } from '../../../errors/index.ts';
import { Frame } from '../wire/frame.ts';
import { FrameReader } from '../wire/frame-reader.ts';
import { violation } from '../wire/protocol.ts';
import type { Transport } from './transport.ts';

const MAX_MESSAGE = 64 * 1024;
const MAX_PENDING = 256;

export class StartupFrames {
  /** Cuts the messages; taken over by the connection when the startup is done. */
  readonly reader: FrameReader;
  readonly #ready: Frame[] = [];
  #waiter: { resolve: (frame: Frame) => void; reject: (error: unknown) => void } | undefined;
  #failure: unknown;

  /** Takes the transport's bytes from now on. */
  constructor(transport: Transport) {
    this.reader = new FrameReader(MAX_MESSAGE, (frame) => this.#arrived(frame));
    transport.onData = (bytes, length) => {
      try {
        this.reader.push(bytes, length);
      } catch (error) {
        this.reader.stop();
        this.#fail(error);
      }
    };
    transport.onEnd = (error) =>
      this.#fail(error ?? new ConnectError('the server closed the connection during startup', { outcome: 'not-sent' }));
  }

  next(): Promise<Frame> {
    const frame = this.#ready.shift();
    if (frame !== undefined) return Promise.resolve(frame);
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) reject(this.#failure);
      else this.#waiter = { resolve, reject };
    });
  }

  /** What came behind the startup's end, for whoever reads on. */
  rest(): readonly Frame[] {
    return this.#ready;
  }

  #arrived(frame: Frame): void {
    const own = new Frame(Buffer.from(frame.bytes.subarray(frame.start, frame.end)));
    own.type = frame.type;
    own.end = own.bytes.length;
    const waiter = this.#waiter;
    this.#waiter = undefined;
    if (waiter !== undefined) waiter.resolve(own);
    else if (this.#ready.push(own) > MAX_PENDING) violation('too many messages during startup');
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#waiter?.reject(this.#failure);
    this.#waiter = undefined;
  }
}
