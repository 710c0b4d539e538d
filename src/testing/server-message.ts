// The messages a scripted server says, well-formed; what is wrong with them is the script's business.

/** A part of a message: bytes as they are, text ended by NUL, a number in four bytes. */
export type MessagePart = Uint8Array | string | number;

function bytesOf(part: MessagePart): Uint8Array {
  if (typeof part === 'string') return Buffer.from(`${part}\0`);
  if (typeof part !== 'number') return part;
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(part);
  return bytes;
}

/** A message of a kind, its length counted. */
export function serverMessage(type: string, ...parts: readonly MessagePart[]): Buffer {
  const body = Buffer.concat(parts.map(bytesOf));
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/** A number in two bytes. */
export function twoBytes(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

/** Ready for the next statement, in a transaction state: `I`, `T` or `E`. */
export function readyMessage(state = 'I'): Buffer {
  return serverMessage('Z', Buffer.from(state));
}

/** The description of columns of these type numbers. */
export function rowDescription(...types: readonly number[]): Buffer {
  const columns = types.flatMap((type, at) => [`c${at}`, 0, twoBytes(0), type, twoBytes(4), -1, twoBytes(0)]);
  return serverMessage('T', twoBytes(types.length), ...columns);
}

/** One row of texts. */
export function textRow(...values: readonly string[]): Buffer {
  const cells = values.map((value) => Buffer.from(value)).flatMap((value) => [value.length, value]);
  return serverMessage('D', twoBytes(values.length), ...cells);
}

/** The end of a statement, by the command's word. */
export function completeMessage(command: string): Buffer {
  return serverMessage('C', command);
}

/** An error with its SQLSTATE; severity FATAL ends the session. */
export function errorMessage(sqlState: string, text: string, severity = 'ERROR'): Buffer {
  return serverMessage('E', Buffer.from(`S${severity}\0V${severity}\0C${sqlState}\0M${text}\0\0`));
}

/** The answer to one statement that is parsed, described and bound, up to its rows. */
export function statementHead(...types: readonly number[]): Buffer {
  const described = types.length === 0 ? serverMessage('n') : rowDescription(...types);
  return Buffer.concat([serverMessage('1'), serverMessage('t', twoBytes(0)), described, serverMessage('2')]);
}

/** Logged in without questions, as server process 4242. */
export const LOGGED_IN: Buffer = Buffer.concat([serverMessage('R', 0), serverMessage('K', 4242, 99), readyMessage()]);
