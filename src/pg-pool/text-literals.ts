// Values as PostgreSQL prints them, read the way node programs have come to expect: dates without a zone are local
// time, a date finer than a millisecond is cut, an interval is a bag of its parts.

type Read<T> = (text: string) => T;

const MOMENT = /^(\d+)-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(\.\d+)?)?(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?( BC)?$/;

/** A date or timestamp; `null` where it is none. Infinities are numbers. */
export function readDate(text: string): Date | number | null {
  if (text === 'infinity') return Number.POSITIVE_INFINITY;
  if (text === '-infinity') return Number.NEGATIVE_INFINITY;
  const match = MOMENT.exec(text);
  if (match === null) return null;
  const part = (index: number): number => Number(match[index] ?? 0);
  const year = match[12] === undefined ? part(1) : 1 - part(1);
  const milliseconds = Math.floor(part(7) * 1000 + 1e-6);
  const date = new Date(0);
  if (match[8] === undefined) {
    date.setFullYear(year, part(2) - 1, part(3));
    date.setHours(part(4), part(5), part(6), milliseconds);
    return date;
  }
  date.setUTCFullYear(year, part(2) - 1, part(3));
  const offset = ((part(9) * 60 + part(10)) * 60 + part(11)) * (match[8] === '-' ? -1 : 1);
  date.setUTCHours(part(4), part(5), part(6) - offset, milliseconds);
  return date;
}

/** The elements of an array literal, of any depth; its bounds, where they are given, are dropped. */
export function readArray<T>(text: string, read: Read<T>): unknown[] {
  let at = text.startsWith('[') ? text.indexOf('=') + 1 : 0;
  function list(): unknown[] {
    const elements: unknown[] = [];
    at += 1;
    while (at < text.length && text[at] !== '}') {
      if (text[at] === ',') at += 1;
      else if (text[at] === '{') elements.push(list());
      else elements.push(element());
    }
    at += 1;
    return elements;
  }
  function element(): T | null {
    if (text[at] === '"') return read(quoted());
    const start = at;
    while (at < text.length && text[at] !== ',' && text[at] !== '}') at += 1;
    const word = text.slice(start, at);
    return word === 'NULL' ? null : read(word);
  }
  function quoted(): string {
    let word = '';
    for (at += 1; at < text.length && text[at] !== '"'; at += 1) {
      if (text[at] === '\\') at += 1;
      word += text[at];
    }
    at += 1;
    return word;
  }
  return list();
}

/** Bytes in either of the server's two spellings. */
export function readBytes(text: string): Buffer {
  if (text.startsWith('\\x')) return Buffer.from(text.slice(2), 'hex');
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] !== '\\') bytes.push(text.charCodeAt(at));
    else if (text[at + 1] === '\\') bytes.push(text.charCodeAt((at += 1)));
    else bytes.push(Number.parseInt(text.slice(at + 1, (at += 3) + 1), 8));
  }
  return Buffer.from(bytes);
}

/** A point, as `(1,2)`. */
export function readPoint(text: string): { x: number; y: number } | null {
  if (!text.startsWith('(')) return null;
  const [x = '', y = ''] = text.slice(1, -1).split(',');
  return { x: Number.parseFloat(x), y: Number.parseFloat(y) };
}

/** A circle, as `<(1,2),3>`. */
export function readCircle(text: string): { x: number; y: number; radius: number } | null {
  const match = /^<(\(.*\)),(.*)>$/.exec(text);
  const point = match === null ? null : readPoint(match[1] ?? '');
  return point === null ? null : { ...point, radius: Number.parseFloat(match?.[2] ?? '') };
}

const INTERVAL_PARTS = ['years', 'months', 'days', 'hours', 'minutes', 'seconds', 'milliseconds'] as const;
const LARGEST_FIRST = INTERVAL_PARTS.slice(0, 6) as readonly Exclude<IntervalPart, 'milliseconds'>[];
const ISO_LETTERS = { years: 'Y', months: 'M', days: 'D', hours: 'H', minutes: 'M', seconds: 'S' } as const;
type IntervalPart = (typeof INTERVAL_PARTS)[number];

/** An interval; a part that is zero is not there. */
export class Interval {
  declare years?: number;
  declare months?: number;
  declare days?: number;
  declare hours?: number;
  declare minutes?: number;
  declare seconds?: number;
  declare milliseconds?: number;

  constructor(text: string) {
    for (const [, count, unit] of text.matchAll(/([+-]?\d+) (year|mon|day)/g)) {
      this.#put(unit === 'year' ? 'years' : unit === 'mon' ? 'months' : 'days', Number(count));
    }
    const time = /(-)?(\d+):(\d\d):(\d\d)(\.\d+)?/.exec(text);
    const sign = time?.[1] === undefined ? 1 : -1;
    this.#put('hours', sign * Number(time?.[2] ?? 0));
    this.#put('minutes', sign * Number(time?.[3] ?? 0));
    this.#put('seconds', sign * Number(time?.[4] ?? 0));
    this.#put('milliseconds', (sign * Math.round(Number(time?.[5] ?? 0) * 1e6)) / 1000);
  }

  #put(part: IntervalPart, value: number): void {
    if (value !== 0) this[part] = value;
  }

  #text(part: Exclude<IntervalPart, 'milliseconds'>): string {
    const value = this[part] ?? 0;
    if (part !== 'seconds' || this.milliseconds === undefined) return String(value);
    return (value + this.milliseconds / 1000).toFixed(6).replace(/\.?0+$/, '');
  }

  /** As the server reads it. */
  toPostgres(): string {
    const there = LARGEST_FIRST.filter((part) => this.#text(part) !== '0').reverse();
    return there.length === 0 ? '0' : there.map((part) => `${this.#text(part)} ${part}`).join(' ');
  }

  /** ISO 8601. */
  toISOString(): string {
    const [date, time] = [LARGEST_FIRST.slice(0, 3), LARGEST_FIRST.slice(3)].map((parts) =>
      parts.map((part) => `${this.#text(part)}${ISO_LETTERS[part]}`).join(''),
    );
    return `P${date}T${time}`;
  }
}
