// Parameters in binary, once the server has said their types: cheaper on both sides. Only a value that fits its type
// exactly is written; for any other this says no, the value goes as text, and the server judges it.
import type { Scalar, WireKind } from '../../../driver/driver.ts';
import { FARTHEST, POSTGRES_EPOCH } from './epoch-values.ts';
import type { MessageWriter } from './message-writer.ts';
import { ELEMENT_OF, OID } from './oids.ts';
import { elementKind } from './parameter-text.ts';

const TWO_32 = 4294967296;

function writeSmallInteger(writer: MessageWriter, value: Scalar, bytes: 2 | 4): boolean {
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number' || (number | 0) !== number || (bytes === 2 && (number << 16) >> 16 !== number))
    return false;
  writer.int32(bytes);
  if (bytes === 2) writer.int16(number);
  else writer.int32(number);
  return true;
}

function writeInt8(writer: MessageWriter, value: Scalar): boolean {
  if (typeof value === 'bigint') {
    if (BigInt.asIntN(64, value) !== value) return false;
    writer.int32(8);
    writer.bigInt64(value);
    return true;
  }
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) return false;
  writeInt64Number(writer, value);
  return true;
}

function writeInt64Number(writer: MessageWriter, value: number): void {
  const high = Math.floor(value / TWO_32);
  writer.int32(8);
  writer.int64(high, value - high * TWO_32);
}

function writeMoment(writer: MessageWriter, value: Scalar, kind: WireKind | undefined): boolean {
  if (kind !== 'epoch' || typeof value !== 'number' || !Number.isInteger(value) || Math.abs(value) > FARTHEST)
    return false;
  const micros = (value - POSTGRES_EPOCH) * 1000;
  if (Number.isSafeInteger(micros)) writeInt64Number(writer, micros);
  else {
    writer.int32(8);
    writer.bigInt64(BigInt(value - POSTGRES_EPOCH) * 1000n);
  }
  return true;
}

function writeString(writer: MessageWriter, value: Scalar, version: number | undefined): boolean {
  if (typeof value !== 'string') return false;
  const at = writer.offset;
  if (version === undefined) {
    writer.text(value);
    return true;
  }
  // jsonb: a version byte, then the text.
  writer.int32(0);
  writer.byte(version);
  writer.rawText(value);
  writer.patchInt32(at, writer.offset - at - 4);
  return true;
}

function writeBytes(writer: MessageWriter, value: Scalar): boolean {
  if (!(value instanceof Uint8Array)) return false;
  writer.int32(value.length);
  writer.raw(value);
  return true;
}

function writeBoolean(writer: MessageWriter, value: Scalar): boolean {
  if (typeof value !== 'boolean') return false;
  writer.int32(1);
  writer.byte(value ? 1 : 0);
  return true;
}

function writeFloat8(writer: MessageWriter, value: Scalar, kind: WireKind | undefined): boolean {
  // A number of an integer kind must be exact; text is where that is judged.
  if (typeof value !== 'number' || kind === 'integer' || kind === 'bigint') return false;
  writer.int32(8);
  writer.float64(value);
  return true;
}

function writeArray(
  writer: MessageWriter,
  value: Scalar,
  { element, kind }: { readonly element: number; readonly kind: WireKind | undefined },
): boolean {
  if (!Array.isArray(value)) return false;
  const values = value as readonly Scalar[];
  const at = writer.offset;
  writer.int32(0);
  writer.int32(values.length === 0 ? 0 : 1);
  writer.int32(1);
  writer.int32(element);
  if (values.length > 0) {
    writer.int32(values.length);
    writer.int32(1);
  }
  for (let i = 0; i < values.length; i++) {
    const item = values[i] as Scalar;
    if (item === null) writer.int32(-1);
    else if (!writeBinary(writer, item, { type: element, kind })) return false;
  }
  writer.patchInt32(at, writer.offset - at - 4);
  return true;
}

/** Writes length and value. With `false` nothing useful was written: go back to where you were and write text. */
export function writeBinary(
  writer: MessageWriter,
  value: Scalar,
  slot: { readonly type: number; readonly kind: WireKind | undefined },
): boolean {
  switch (slot.type) {
    case OID.int4:
      return writeSmallInteger(writer, value, 4);
    case OID.text:
    case OID.varchar:
    case OID.bpchar:
    case OID.json:
      return writeString(writer, value, undefined);
    case OID.int8:
      return writeInt8(writer, value);
    case OID.bool:
      return writeBoolean(writer, value);
    case OID.timestamptz:
      return writeMoment(writer, value, slot.kind);
    case OID.float8:
      return writeFloat8(writer, value, slot.kind);
    case OID.bytea:
      return writeBytes(writer, value);
    case OID.jsonb:
      return writeString(writer, value, 1);
    case OID.int2:
      return writeSmallInteger(writer, value, 2);
    default: {
      const element = ELEMENT_OF.get(slot.type);
      return element !== undefined && writeArray(writer, value, { element, kind: elementKind(slot.kind) });
    }
  }
}
