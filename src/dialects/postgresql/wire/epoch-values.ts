// Moments in time: timestamptz as milliseconds since 1970. PostgreSQL counts microseconds over 290,000 years, so a
// value may be finer or farther than a JavaScript moment; then it is refused, never shifted.
import type { Frame } from './frame.ts';
import { violation } from './protocol.ts';
import { textDecoder, unfit, type ValueDecoder } from './value-decoder.ts';

/** 2000-01-01 UTC, where PostgreSQL's count begins. */
export const POSTGRES_EPOCH = 946684800000;
/** The farthest moment a JavaScript Date can be, either way. */
export const FARTHEST = 8.64e15;
const TWO_32 = 4294967296;

const FINER = 'the moment has microseconds, which milliseconds cannot hold';
const BEYOND = 'the moment is beyond what a JavaScript date can hold';
const INFINITE = 'infinity is no moment in milliseconds';

function checked(milliseconds: number): number {
  if (!Number.isInteger(milliseconds)) unfit(FINER);
  if (Math.abs(milliseconds) > FARTHEST) unfit(BEYOND);
  return milliseconds;
}

/** Beyond 285 years from 2000 the count of microseconds is no safe integer any more. */
function farMoment(view: DataView, at: number): number {
  const micros = view.getBigInt64(at);
  if (micros === 0x7fffffffffffffffn || micros === -0x8000000000000000n) unfit(INFINITE);
  if (micros % 1000n !== 0n) unfit(FINER);
  return checked(Number(micros / 1000n) + POSTGRES_EPOCH);
}

function readMoment(frame: Frame, at: number, length: number): number {
  if (length !== 8) violation(`a timestamptz of ${length} bytes`);
  const high = frame.view.getInt32(at);
  if (high >= 0x200000 || high < -0x200000) return farMoment(frame.view, at);
  const micros = high * TWO_32 + frame.view.getUint32(at + 4);
  const milliseconds = Math.round(micros / 1000);
  return milliseconds * 1000 === micros ? milliseconds + POSTGRES_EPOCH : unfit(FINER);
}

const ISO =
  /^(\d{4,6})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?([+-])(\d\d)(?::?(\d\d))?(?::?(\d\d))?( BC)?$/;

/** PostgreSQL's ISO text of a timestamptz, in whatever time zone the session prints it. */
export function parseMoment(text: string): number {
  if (text === 'infinity' || text === '-infinity') unfit(INFINITE);
  const m = ISO.exec(text);
  if (m === null) return unfit("the moment is not printed in ISO form: leave the session's DateStyle at ISO");
  const n = (group: number): number => Number(m[group] ?? 0);
  const year = m[12] === undefined ? n(1) : 1 - n(1);
  const date = new Date(0);
  date.setUTCFullYear(year, n(2) - 1, n(3));
  const fraction = (m[7] ?? '').padEnd(6, '0');
  if (!fraction.endsWith('000')) unfit(FINER);
  const offset = ((n(9) * 60 + n(10)) * 60 + n(11)) * (m[8] === '-' ? -1000 : 1000);
  const time = ((n(4) * 60 + n(5)) * 60 + n(6)) * 1000 + Number(fraction.slice(0, 3));
  const day = date.getTime();
  return Number.isNaN(day) ? unfit(BEYOND) : checked(day + time - offset);
}

/** The text PostgreSQL reads a moment from. `undefined` if the number is no moment. */
export function momentText(milliseconds: number): string | undefined {
  if (!Number.isInteger(milliseconds) || Math.abs(milliseconds) > FARTHEST) return undefined;
  const date = new Date(milliseconds);
  const year = date.getUTCFullYear();
  const rest = date.toISOString().slice(-20, -1).replace('T', ' ');
  const common = String(year > 0 ? year : 1 - year).padStart(4, '0');
  return `${common}${rest}+00${year > 0 ? '' : ' BC'}`;
}

export const textMoment: ValueDecoder = textDecoder('tm', parseMoment);
export const moment: ValueDecoder = { key: 'm', binary: true, read: readMoment };
