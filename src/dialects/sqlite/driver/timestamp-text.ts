// Moments are stored as text, `YYYY-MM-DD HH:MM:SS.SSS` in UTC: what SQLite's own date functions read and write, and
// what sorts by time. Whatever this form cannot hold exactly is refused.
import { DataError } from '../../../errors/index.ts';

const FORM = /^(\d{4}-\d\d-(\d\d))[ T](\d\d:\d\d)(?::(\d\d)(?:\.(\d+))?)?(?:Z|\+00:00)?$/;
/** A year of five digits, or before year 0, makes ISO text longer. */
const ISO_LENGTH = 24;

/** Milliseconds since 1970 UTC as stored text. */
export function timestampText(milliseconds: number): string {
  const date = new Date(milliseconds);
  if (!Number.isInteger(milliseconds) || Number.isNaN(date.getTime())) {
    throw new DataError('A moment must be a whole number of milliseconds that a Date can hold.');
  }
  const iso = date.toISOString();
  if (iso.length !== ISO_LENGTH) throw new DataError('SQLite stores moments of the years 0000 to 9999 only.');
  return `${iso.slice(0, 10)} ${iso.slice(11, 23)}`;
}

/** Stored text as milliseconds since 1970 UTC; `undefined` where it is no moment in UTC, or one finer than a millisecond. */
export function readTimestamp(text: string): number | undefined {
  const found = FORM.exec(text);
  if (found === null) return undefined;
  const [, day, dayOfMonth, minutes, seconds = '00', fraction = ''] = found;
  if (/[1-9]/.test(fraction.slice(3))) return undefined;
  const milliseconds = Date.parse(`${day}T${minutes}:${seconds}.${fraction.slice(0, 3).padEnd(3, '0')}Z`);
  // The 31st of February would silently become a day of March.
  return new Date(milliseconds).getUTCDate() === Number(dayOfMonth) ? milliseconds : undefined;
}
