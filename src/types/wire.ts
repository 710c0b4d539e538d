// The closed set of forms a value may travel in between a driver and the type layer.

/**
 * The form a value has between a driver and the type layer. A driver must give and take exactly this JavaScript form
 * whatever the column's own type, or throw `DataError`: a value is never rounded, shifted or cut.
 *
 * | kind    | JavaScript form |
 * |---------|---|
 * | boolean | `boolean` |
 * | integer | `number`, a safe integer |
 * | bigint  | `bigint` |
 * | float   | `number` |
 * | text    | `string` (also numeric, uuid, date, time and whatever has no better form) |
 * | bytes   | `Uint8Array` of its own memory |
 * | epoch   | `number`, milliseconds since 1970 UTC; a finer value is refused |
 * | json    | `string`, JSON text |
 *
 * With a trailing `[]` an array of it.
 */
export type WireKind = ElementKind | `${ElementKind}[]`;
type ElementKind = 'boolean' | 'integer' | 'bigint' | 'float' | 'text' | 'bytes' | 'epoch' | 'json';

/** A value in its wire form. */
export type Scalar = null | boolean | number | bigint | string | Uint8Array | readonly Scalar[];
