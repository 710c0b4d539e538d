// How one value on the wire becomes one JavaScript value. A decoder either gives exactly the value or throws:
// DataError when the value does not fit the form that was asked for, ProtocolError when the bytes cannot be that type.
import type { Scalar } from '../../../driver/driver.ts';
import { DataError } from '../../../errors/index.ts';
import type { Frame } from './frame.ts';

export interface ValueDecoder {
  /** Unique; row decoders are generated once per list of keys. */
  readonly key: string;
  /** Whether it reads the binary format, else text. */
  readonly binary: boolean;
  /** An expression over `bytes`, `view`, `at` and `length` for generated code; without one `read` is called. */
  readonly code?: string | undefined;
  /** For text decoders: the same from a string, as array elements need it. */
  readonly parse?: ((text: string) => Scalar) | undefined;
  read(frame: Frame, at: number, length: number): Scalar;
}

/** Refuses a value. The row decoder adds the column's name. */
export function unfit(reason: string): never {
  throw new DataError(reason);
}

/** The value as text. PostgreSQL sends UTF-8, whatever the database is kept in. */
export function readText(frame: Frame, at: number, length: number): string {
  return frame.bytes.toString('utf8', at, at + length);
}

/** A decoder of the text format. */
export function textDecoder(key: string, parse: (text: string) => Scalar): ValueDecoder {
  return { key, binary: false, parse, read: (frame, at, length) => parse(readText(frame, at, length)) };
}
