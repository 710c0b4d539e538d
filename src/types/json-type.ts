// JSON. A decoded value is frozen through and through: a change inside it would be seen by nobody, so it is made
// impossible; assign a new value instead.
import type { ColumnType } from './column-type.ts';
import { checkText } from './text-types.ts';
import { refuseValue } from './value-error.ts';
import type { Scalar } from './wire.ts';

function freezeDeep(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) for (let at = 0; at < value.length; at++) freezeDeep(value[at]);
  else for (const inner of Object.values(value)) freezeDeep(inner);
  return Object.freeze(value);
}

/** A JavaScript value as JSON text. Throws `ATH_DATA` on what JSON has no form for. */
export function jsonText(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    // A bigint, or a circle.
  }
  if (text === undefined) return refuseValue('a value that JSON can hold', value);
  // PostgreSQL cannot store U+0000 in jsonb, and half a surrogate pair is not Unicode: both are escaped in the text.
  if (/\\u(?:0000|d[89a-f])/i.test(text)) checkStrings(value);
  return text;
}

function checkStrings(value: unknown): void {
  if (typeof value === 'string') checkText(value);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      checkText(key);
      checkStrings(inner);
    }
  }
}

export const JSON_TYPE: ColumnType = Object.freeze({
  name: 'json',
  args: [],
  wire: 'json',
  encode: (value: never): Scalar => jsonText(value),
  decode: (value: Scalar): unknown => freezeDeep(JSON.parse(value as string)),
  compare: 'json',
  key: 'json',
});
