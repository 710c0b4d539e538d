// Short names for long keys. Every column of a subquery carries the subquery's key in its own; spelled out, keys would
// grow with each use. A number stands for one text only and is never given again, so forgetting old ones costs a
// cache miss and no more.

const CAPACITY = 2000;
const known = new Map<string, string>();
let given = 0;

/** The same short key for the same long one. */
export function internKey(long: string): string {
  let short = known.get(long);
  if (short !== undefined) return short;
  if (known.size >= CAPACITY) known.clear();
  given += 1;
  short = `q${given};`;
  known.set(long, short);
  return short;
}
