// An error or notice as node-postgres names its parts, back as the letters of the protocol, which the rest of the
// dialect reads.
import { endsSession, type ServerFields } from '../wire/server-message.ts';
import type { PgMessage } from './pg-module.ts';

const LETTERS: readonly (readonly [letter: string, member: string])[] = [
  ['S', 'severity'],
  ['C', 'code'],
  ['M', 'message'],
  ['D', 'detail'],
  ['H', 'hint'],
  ['s', 'schema'],
  ['t', 'table'],
  ['c', 'column'],
  ['n', 'constraint'],
];

/** Sent only with the end of a session. node-postgres passes the severity on in the server's language alone. */
const ENDING: ReadonlySet<string> = new Set(['57P01', '57P02', '57P03', '57P05', '25P03', '25P04']);

/** The parts of a message that are texts. */
export function serverFields(message: object): ServerFields {
  const from = message as Readonly<Record<string, unknown>>;
  const fields: Record<string, string | undefined> = Object.create(null) as Record<string, string | undefined>;
  for (const [letter, member] of LETTERS) {
    const value = from[member];
    if (typeof value === 'string') fields[letter] = value;
  }
  return fields;
}

/** Whether the session is over with this error. */
export function isLast(fields: ServerFields): boolean {
  return endsSession(fields) || ENDING.has(fields['C'] ?? '');
}

/** Whether the server said this, rather than the parser or the socket. */
export function isServerError(error: unknown): error is PgMessage {
  return error instanceof Error && typeof (error as { code?: unknown }).code === 'string' && 'severity' in error;
}
