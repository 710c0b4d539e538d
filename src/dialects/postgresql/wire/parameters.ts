// The parameter part of a Bind message: format codes, then values. Formats are chosen value by value, so that one
// value that does not fit binary does not cost the others.
import type { Scalar, WireKind } from '../../../driver/driver.ts';
import { DataError, UsageError } from '../../../errors/index.ts';
import type { MessageWriter } from './message-writer.ts';
import { writeBinary } from './parameter-binary.ts';
import { parameterText } from './parameter-text.ts';

/** The protocol counts parameters in 16 bits; past them the count would silently wrap. */
export const MAX_PARAMETERS = 65535;

/** What is known of one parameter. `type` is 0 until the server has said it. */
export interface Slot {
  readonly type: number;
  readonly kind: WireKind | undefined;
}

const unknownSlot: Slot = { type: 0, kind: undefined };

function writeOne(writer: MessageWriter, value: Scalar, slot: Slot): 0 | 1 {
  if (value === null) {
    writer.int32(-1);
    return 0;
  }
  if (slot.type !== 0) {
    const at = writer.offset;
    if (writeBinary(writer, value, slot)) return 1;
    writer.offset = at;
  }
  writer.text(parameterText(value, slot.kind));
  return 0;
}

/** Writes format codes and values. `slots` may be shorter than `values`: the rest is unknown. */
export function writeParameters(writer: MessageWriter, values: readonly Scalar[], slots: readonly Slot[]): void {
  const count = values.length;
  if (count > MAX_PARAMETERS) {
    throw tooManyParameters(count);
  }
  writer.int16(count);
  const formats = writer.offset;
  for (let i = 0; i < count; i++) writer.int16(0);
  writer.int16(count);
  for (let i = 0; i < count; i++) {
    try {
      if (writeOne(writer, values[i] as Scalar, slots[i] ?? unknownSlot) === 1) writer.patchLowByte(formats + i * 2, 1);
    } catch (error) {
      throw namedParameter(error, i);
    }
  }
}

/** More parameters than the protocol can count. */
export function tooManyParameters(count: number): DataError {
  return new DataError(`a statement can have at most ${MAX_PARAMETERS} parameters, this one has ${count}`, {
    hint: 'Send the values as arrays, or in several statements.',
    outcome: 'not-sent',
  });
}

/** Says which parameter cannot be sent. */
export function namedParameter(error: unknown, index: number): unknown {
  if (error instanceof DataError)
    return new DataError(`parameter $${index + 1} ${error.message}`, { outcome: 'not-sent' });
  if (error instanceof RangeError || error instanceof TypeError) {
    return new UsageError(`parameter $${index + 1} cannot be sent`, { cause: error, outcome: 'not-sent' });
  }
  return error;
}
