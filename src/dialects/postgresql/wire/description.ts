// What the server says of a statement before it runs: its parameters' types and its columns.
import type { Field } from '../../../driver/driver.ts';
import type { Frame } from './frame.ts';
import { violation } from './protocol.ts';

/** A result column; `type` is the OID, of the base type where the column's own is a domain. */
export interface Column extends Field {
  readonly type: number;
  /** The table it is from and its number there; 0 where it is computed. */
  readonly tableId: number;
  readonly columnNumber: number;
  /** Bytes of the type, negative where they vary; and what stands in brackets behind the type's name, or -1. */
  readonly size: number;
  readonly modifier: number;
}

/** Bytes of a column's description behind its name. */
const COLUMN_TAIL = 18;

/** The index of the NUL that ends the string at `at`. */
export function stringEnd(frame: Frame, at: number): number {
  const end = frame.bytes.indexOf(0, at);
  return end === -1 || end >= frame.end ? violation('a string that does not end in its message') : end;
}

function count16(frame: Frame): number {
  return frame.end - frame.start < 2
    ? violation('a message too short for its count')
    : frame.view.getUint16(frame.start);
}

/** ParameterDescription: the OIDs, in order. */
export function readParameterTypes(frame: Frame): readonly number[] {
  const count = count16(frame);
  if (frame.end - frame.start !== 2 + count * 4) violation('a parameter description of the wrong size');
  return Array.from({ length: count }, (_, i) => frame.view.getUint32(frame.start + 2 + i * 4));
}

/** RowDescription. */
export function readColumns(frame: Frame): readonly Column[] {
  const count = count16(frame);
  // A column has at least an empty name: refuse the count before believing it.
  if (count * (COLUMN_TAIL + 1) > frame.end - frame.start - 2)
    violation('a row description of more columns than it has room for');
  const columns: Column[] = [];
  let at = frame.start + 2;
  for (let i = 0; i < count; i++) {
    const end = stringEnd(frame, at);
    if (end + 1 + COLUMN_TAIL > frame.end) violation('a row description that ends too early');
    const { view } = frame;
    const column: Column = {
      name: frame.bytes.toString('utf8', at, end),
      type: view.getUint32(end + 7),
      tableId: view.getUint32(end + 1),
      columnNumber: view.getInt16(end + 5),
      size: view.getInt16(end + 11),
      modifier: view.getInt32(end + 13),
    };
    columns.push(Object.freeze(column));
    at = end + 1 + COLUMN_TAIL;
  }
  if (at !== frame.end) violation('a row description of the wrong size');
  return Object.freeze(columns);
}
