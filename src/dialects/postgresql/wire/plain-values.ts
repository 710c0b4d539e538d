// Booleans, text and bytes.
import type { Frame } from './frame.ts';
import { violation } from './protocol.ts';
import { readText, textDecoder, unfit, type ValueDecoder } from './value-decoder.ts';

function readBoolByte(frame: Frame, at: number, length: number): boolean {
  const byte = frame.bytes[at];
  if (length !== 1 || (byte !== 0 && byte !== 1)) violation('a boolean that is neither true nor false');
  return byte === 1;
}

function parseBool(letter: string): boolean {
  return letter === 't' || (letter === 'f' ? false : violation('a boolean that is neither true nor false'));
}

/** Bytes of their own memory: the frame's are overwritten by the next read. */
function copyBytes(frame: Frame, at: number, length: number): Uint8Array {
  const copy = new Uint8Array(length);
  copy.set(frame.bytes.subarray(at, at + length));
  return copy;
}

/** Both spellings of `bytea_output`: `\x6869`, and the older one with octal escapes. */
export function parseBytes(text: string): Uint8Array {
  if (text.startsWith('\\x')) {
    const bytes = Buffer.from(text.slice(2), 'hex');
    if (bytes.length * 2 !== text.length - 2) violation('a bytea whose hexadecimal digits are damaged');
    return new Uint8Array(bytes);
  }
  const out: number[] = [];
  for (let at = 0; at < text.length; ) {
    if (text[at] !== '\\') {
      out.push(text.charCodeAt(at));
      at += 1;
    } else if (text[at + 1] === '\\') {
      out.push(0x5c);
      at += 2;
    } else {
      const octal = text.slice(at + 1, at + 4);
      if (!/^[0-3][0-7]{2}$/.test(octal)) violation('a bytea with a damaged escape');
      out.push(Number.parseInt(octal, 8));
      at += 4;
    }
  }
  return new Uint8Array(out);
}

export const text: ValueDecoder = {
  key: 't',
  binary: false,
  code: "bytes.toString('utf8', at, at + length)",
  parse: (value) => value,
  read: readText,
};
export const textBool: ValueDecoder = textDecoder('tl', parseBool);
export const bool: ValueDecoder = { key: 'l', binary: true, read: readBoolByte };
export const textBytes: ValueDecoder = textDecoder('ty', parseBytes);
export const bytes: ValueDecoder = { key: 'y', binary: true, read: copyBytes };

/** Stands where the column's type and the asked form do not go together: nulls pass, the first value throws. */
export function unsupported(kind: string, type: number): ValueDecoder {
  const refuse = (): never => unfit(`a value of the database's type ${type} has no form '${kind}'`);
  return { key: `x${kind}:${type}`, binary: false, parse: refuse, read: refuse };
}
