// Arrays of another type. Frozen when read, for the same reason as JSON.
import { UsageError } from '../errors/index.ts';
import type { ColumnType } from './column-type.ts';
import { refuseValue } from './value-error.ts';
import type { Scalar, WireKind } from './wire.ts';

export interface ArrayType extends ColumnType<readonly unknown[]> {
  readonly name: 'array';
  readonly element: ColumnType;
}

/** An array of `element`. Elements may be null. Arrays of arrays are not supported. */
export function arrayType(element: ColumnType): ArrayType {
  if (element.wire.endsWith('[]')) throw new UsageError('An array of arrays is not supported.');
  const { encode, decode } = element;
  const one = (value: unknown): Scalar =>
    value === null || value === undefined ? null : encode === undefined ? (value as Scalar) : encode(value as never);
  return Object.freeze({
    name: 'array',
    args: [],
    element,
    wire: `${element.wire}[]` as WireKind,
    encode: (value: never): Scalar =>
      Array.isArray(value) ? (value as unknown[]).map(one) : refuseValue('an array', value),
    decode: (value: Scalar): readonly unknown[] =>
      Object.freeze(
        (value as readonly Scalar[]).map((item) => (item === null || decode === undefined ? item : decode(item))),
      ),
    compare: 'encoded',
    key: `array of ${element.key}`,
  });
}
