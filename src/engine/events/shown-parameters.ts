// Values in a log: hidden unless asked for, and then never so many or so long that the statement is lost in them.
import type { DriverStatement } from '../../driver/driver.ts';
import type { Scalar } from '../../types/wire.ts';

/** Characters of one value. */
const LONGEST = 100;
/** Values of one statement, or parameter sets; of more the first ones and the last one are shown. */
const MOST_VALUES = 30;
const MOST_SETS = 4;

/** The parameters behind a statement's text, with a space before them; empty where there are none. */
export function shownParameters({ params, sets }: DriverStatement, values: boolean): string {
  if (sets !== undefined) {
    const form = `${sets.length} sets of ${sets[0]?.length ?? 0}`;
    return values ? ` [${form}: ${some(sets, MOST_SETS, (set) => `[${listed(set)}]`)}]` : ` [${form}]`;
  }
  if (params.length === 0) return '';
  return values ? ` [${listed(params)}]` : ` [${params.length} values]`;
}

function listed(params: readonly Scalar[]): string {
  return some(params, MOST_VALUES, shown);
}

function some<T>(items: readonly T[], most: number, text: (item: T) => string): string {
  if (items.length <= most) return items.map(text).join(', ');
  const last = items.at(-1) as T;
  return `${items
    .slice(0, most - 1)
    .map(text)
    .join(', ')}, ... ${items.length - most} more ..., ${text(last)}`;
}

function shown(value: Scalar): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Uint8Array) return `<${value.length} bytes>`;
  const text = JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner));
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}... (${text.length} characters)` : text;
}
