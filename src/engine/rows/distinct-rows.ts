// Rows that were seen are left out. Equal means equal by value, as the rows were read: two dates of one time are one.

/** Filters list after list; `by` says what makes a row what it is, by default all of it. */
export function distinctRows(by: ((row: unknown) => unknown) | undefined): (rows: unknown[]) => unknown[] {
  const seen = new Set<unknown>();
  return (rows) =>
    rows.filter((row) => {
      const key = keyOf(by === undefined ? row : by(row));
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
}

/** Scalars stand for themselves, objects without a class for their values; an instance of a class is itself. */
function keyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? `s${value}` : value;
  return isData(value) ? `o${textOf(value)}` : value;
}

function isData(value: object): boolean {
  if (Array.isArray(value) || value instanceof Date || value instanceof Uint8Array) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

const numbers = new WeakMap<object, number>();
let instances = 0;

/** Injective: every part says its kind and its length. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return `s${value.length}:${value}`;
  if (typeof value !== 'object' || value === null)
    return `${typeof value}:${Object.is(value, -0) ? '-0' : String(value)};`;
  if (value instanceof Date) return `d${value.getTime()};`;
  if (value instanceof Uint8Array) return `b${Buffer.from(value).toString('base64')};`;
  if (Array.isArray(value)) return `[${value.map(textOf).join('')}]`;
  if (isData(value))
    return `{${Object.entries(value)
      .map(([key, inner]) => textOf(key) + textOf(inner))
      .join('')}}`;
  let number = numbers.get(value);
  if (number === undefined) numbers.set(value, (number = instances += 1));
  return `i${number};`;
}
