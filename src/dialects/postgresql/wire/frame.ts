// One message of the server, as a place in a buffer: nothing is copied and nothing is allocated for it. The same
// object is used for every message, so it must not be kept.

/** Where the current message lies. `start` is the first byte after its length, `end` the first byte behind it. */
export class Frame {
  bytes: Buffer;
  view: DataView;
  type = 0;
  start = 0;
  end = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Moves the frame to another buffer, if it is another one. */
  use(bytes: Buffer): void {
    if (this.bytes === bytes) return;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
}
