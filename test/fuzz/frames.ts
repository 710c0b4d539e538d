// Messages of a server as bytes, and the letters a server may send.

/** One message before it is bytes. `raw` is sent as it is, without a header. */
export interface ServerFrame {
  readonly type: string;
  readonly body: Buffer;
  readonly raw?: boolean;
}

/** Every letter a server may send. */
export const SERVER_LETTERS = 'RK23CWdcGHDIEvnNAtS1sZT';

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value & 0xffff);
  return bytes;
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return bytes;
}

export function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

export function frame(type: string, ...parts: readonly Buffer[]): ServerFrame {
  return { type, body: parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts) };
}

/** The message with its letter and its length. */
export function framed({ type, body, raw }: ServerFrame, length: number = body.length + 4): Buffer {
  if (raw === true) return body;
  const bytes = Buffer.allocUnsafe(5 + body.length);
  bytes.write(type, 0, 'latin1');
  bytes.writeInt32BE(length | 0, 1);
  body.copy(bytes, 5);
  return bytes;
}

export interface ErrorParts {
  readonly severity?: string;
  readonly code: string;
  readonly message: string;
}

export function errorBody({ severity = 'ERROR', code, message }: ErrorParts): Buffer {
  return Buffer.from(
    `S${severity}\0V${severity}\0C${code}\0M${message}\0Dwith a detail\0Hand a hint\0Qan unknown field\0\0`,
  );
}

export function columnsBody(columns: readonly { readonly name: string; readonly oid: number }[]): Buffer {
  const tail = (oid: number): Buffer => Buffer.concat([int32(0), int16(0), int32(oid), int16(-1), int32(-1), int16(0)]);
  return Buffer.concat([int16(columns.length), ...columns.flatMap(({ name, oid }) => [text(name), tail(oid)])]);
}

export function rowBody(fields: readonly (Buffer | null)[]): Buffer {
  const parts = fields.flatMap((field) => (field === null ? [int32(-1)] : [int32(field.length), field]));
  return Buffer.concat([int16(fields.length), ...parts]);
}

/** One message of the client. The first one of a session has no letter. */
export interface ClientMessage {
  readonly type: string;
  readonly body: Buffer;
}

/** Cuts what the client wrote. */
export class ClientReader {
  #rest: Buffer = Buffer.alloc(0);
  #started: boolean;

  constructor(started: boolean) {
    this.#started = started;
  }

  read(bytes: Buffer): ClientMessage[] {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const messages: ClientMessage[] = [];
    for (;;) {
      const head = this.#started ? 1 : 0;
      if (this.#rest.length < head + 4) return messages;
      const end = head + this.#rest.readInt32BE(head);
      if (this.#rest.length < end) return messages;
      const type = this.#started ? String.fromCharCode(this.#rest[0] as number) : '';
      messages.push({ type, body: this.#rest.subarray(head + 4, end) });
      // A question for encryption is no startup message: one follows.
      this.#started ||= !(end === 8 && this.#rest.readInt32BE(4) === 80877103);
      this.#rest = this.#rest.subarray(end);
    }
  }
}

/** Reads a message's fields one after the other. */
export class BodyReader {
  readonly #body: Buffer;
  #at = 0;

  constructor(body: Buffer) {
    this.#body = body;
  }

  string(): string {
    const end = this.#body.indexOf(0, this.#at);
    const value = this.#body.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return value;
  }

  int16(): number {
    this.#at += 2;
    return this.#body.readUInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#body.readInt32BE(this.#at - 4);
  }

  /** A length and as many bytes; `null` where the length is -1. */
  value(): Buffer | null {
    const length = this.#body.readInt32BE(this.#at);
    this.#at += 4;
    if (length === -1) return null;
    this.#at += length;
    return this.#body.subarray(this.#at - length, this.#at);
  }
}
