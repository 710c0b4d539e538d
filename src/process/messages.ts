// What a process and its broker say to each other. Every message is checked field by field when it arrives, unknown
// fields included: the peer may be buggy, old, or hostile, and the broker serves others who are none of these.
import { ProtocolError } from '../errors/index.ts';
import { serializeError, type SerializedError } from '../errors/serialize.ts';
import { MAX_FRAME } from './frame.ts';

/** A permit as its holder reports it: with the server process it was spent on, once that is known. */
export interface PermitRecord {
  readonly id: string;
  readonly pid?: number;
  readonly start?: string;
}

/** First message of a process. `member` is the name of its file in the budget's folder. */
export interface Hello {
  readonly type: 'hello';
  readonly token: string;
  readonly member: string;
  readonly pid: number;
  /** 0 in the main thread. */
  readonly thread: number;
  /** The last epoch this process knew; 0 if none. */
  readonly epoch: number;
  /** For people: what the process calls itself. */
  readonly application: string;
  /** The budget asked for by number; `null` leaves it to the server's limits. */
  readonly limit: number | null;
}

/** What a process tells its broker. */
export type ClientMessage =
  | Hello
  /** Permits held from before this connection. Several parts; nothing is granted before the one marked `last`. */
  | { readonly type: 'have'; readonly permits: readonly PermitRecord[]; readonly last: boolean }
  /** Asks for one permit and waits at most `wait` ms. */
  | { readonly type: 'want'; readonly request: number; readonly wait: number }
  | { readonly type: 'cancel'; readonly request: number }
  /** The permit was spent on this server process. */
  | { readonly type: 'opened'; readonly id: string; readonly pid: number; readonly start?: string }
  /** The connection is gone; `clean`: the server was seen to close its end, or none was opened. */
  | { readonly type: 'closed'; readonly id: string; readonly clean: boolean }
  /** The server refused a connection for want of room. */
  | { readonly type: 'full' }
  | { readonly type: 'beat' };

/** One holder, as a refusal names it. Times are milliseconds. */
export interface HolderFact {
  readonly pid: number;
  readonly thread: number;
  readonly application: string;
  readonly permits: number;
  /** How long its oldest permit is held. */
  readonly age: number;
}

/** Why a want was not met, in numbers. */
export interface RefusalFacts {
  readonly waited: number;
  /** Permits of the process that asked. */
  readonly held: number;
  readonly used: number;
  /** `null` while the server's limits are not known. */
  readonly budget: number | null;
  readonly quarantined: number;
  readonly waiting: number;
  readonly holders: readonly HolderFact[];
  /** What the broker itself waits for, where it does. */
  readonly reason: string | null;
}

/** What a broker tells a process. */
export type BrokerMessage =
  | {
      readonly type: 'welcome';
      readonly epoch: number;
      readonly budget: number | null;
      readonly tag: string;
      readonly pid: number;
    }
  | { readonly type: 'grant'; readonly request: number; readonly id: string; readonly epoch: number }
  | {
      readonly type: 'refuse';
      readonly request: number;
      readonly facts: RefusalFacts;
      /** The server's own refusal, where that is the cause. */
      readonly error: SerializedError | null;
    }
  | { readonly type: 'recall'; readonly count: number }
  | { readonly type: 'budget'; readonly budget: number; readonly text: string }
  /** Before the broker cuts the connection. */
  | { readonly type: 'denied'; readonly reason: string };

type Check = (value: unknown) => boolean;
type Shape = Readonly<Record<string, Check>>;

const text =
  (max: number): Check =>
  (value) =>
    typeof value === 'string' && value.length <= max;
const label: Check = (value) => typeof value === 'string' && /^[ -~]{0,64}$/.test(value);
const whole: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const positive: Check = (value) => whole(value) && value !== 0;
const flag: Check = (value) => typeof value === 'boolean';
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const list =
  (check: Check, max: number): Check =>
  (value) =>
    Array.isArray(value) && value.length <= max && value.every(check);
const shaped =
  (shape: Shape): Check =>
  (value) =>
    fits(value, shape);
const permitId: Check = (value) => typeof value === 'string' && /^[0-9a-z]{1,12}-[0-9a-z]{1,8}$/.test(value);
const memberName: Check = (value) =>
  typeof value === 'string' && /^[0-9]{1,10}\.[0-9]{1,9}\.[0-9a-z]{1,16}$/.test(value);
const serverProcess = { pid: positive, start: optional(text(64)) };

const CLIENT: Readonly<Record<ClientMessage['type'], Shape>> = {
  hello: {
    token: text(128),
    member: memberName,
    pid: positive,
    thread: whole,
    epoch: whole,
    application: label,
    limit: orNull(positive),
  },
  have: { permits: list(shaped({ id: permitId, pid: optional(positive), start: optional(text(64)) }), 64), last: flag },
  want: { request: positive, wait: whole },
  cancel: { request: positive },
  opened: { id: permitId, ...serverProcess },
  closed: { id: permitId, clean: flag },
  full: {},
  beat: {},
};

const holder: Shape = { pid: whole, thread: whole, application: label, permits: whole, age: whole };
const facts: Shape = {
  waited: whole,
  held: whole,
  used: whole,
  budget: orNull(whole),
  quarantined: whole,
  waiting: whole,
  holders: list(shaped(holder), 8),
  reason: orNull(text(512)),
};
const BROKER: Readonly<Record<BrokerMessage['type'], Shape>> = {
  welcome: { epoch: positive, budget: orNull(whole), tag: text(16), pid: positive },
  grant: { request: positive, id: permitId, epoch: positive },
  refuse: { request: positive, facts: shaped(facts), error: (value) => value === null || typeof value === 'object' },
  recall: { count: positive },
  budget: { budget: whole, text: text(512) },
  denied: { reason: text(512) },
};

/** Checks what a process sent. Throws `ProtocolError` (ATH_PROTOCOL). */
export function clientMessage(value: unknown): ClientMessage {
  return checked(value, CLIENT) as ClientMessage;
}

/** Checks what a broker sent. Throws `ProtocolError` (ATH_PROTOCOL). */
export function brokerMessage(value: unknown): BrokerMessage {
  return checked(value, BROKER) as BrokerMessage;
}

/** The record of an error, small enough for a frame: the text is cut, stack, cause and large fields stay behind. */
export function errorForFrame(error: unknown): SerializedError {
  const { stack: _stack, cause: _cause, errors: _errors, ...record } = serializeError(error);
  for (const length of [600, 200]) {
    const small = { ...record, message: record.message.slice(0, length) };
    if (Buffer.byteLength(JSON.stringify(small)) < MAX_FRAME / 2) return small;
  }
  return { ...record, message: record.message.slice(0, 200), fields: {} };
}

function checked(value: unknown, shapes: Readonly<Record<string, Shape>>): object {
  const type = typeof value === 'object' && value !== null ? (value as { type?: unknown }).type : undefined;
  const shape = typeof type === 'string' && Object.hasOwn(shapes, type) ? shapes[type] : undefined;
  if (shape === undefined) throw new ProtocolError('A message of an unknown type arrived.');
  const { type: _type, ...fields } = value as Record<string, unknown>;
  if (!fits(fields, shape))
    throw new ProtocolError(`A message '${String(type)}' arrived with a wrong or unknown field.`);
  return value as object;
}

function fits(value: unknown, shape: Shape): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  for (const key of Object.keys(value)) if (!Object.hasOwn(shape, key)) return false;
  return Object.entries(shape).every(([key, check]) => {
    return check(Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined);
  });
}
