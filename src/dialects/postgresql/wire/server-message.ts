// ErrorResponse and NoticeResponse: fields of one letter and a string each.
import { stringEnd } from './description.ts';
import type { Frame } from './frame.ts';

/** The fields as they came, by their letter. */
export type ServerFields = Readonly<Record<string, string | undefined>>;

/** Reads the fields. Unknown letters are kept; the protocol asks to ignore them. */
export function readServerFields(frame: Frame): ServerFields {
  const fields: Record<string, string | undefined> = Object.create(null) as Record<string, string | undefined>;
  let at = frame.start;
  while (at < frame.end && frame.bytes[at] !== 0) {
    const end = stringEnd(frame, at + 1);
    fields[String.fromCharCode(frame.bytes[at] as number)] = frame.bytes.toString('utf8', at + 1, end);
    at = end + 1;
  }
  return fields;
}

/** The severity in English, whatever the server's language. */
export function severityOf(fields: ServerFields): string {
  return fields['V'] ?? fields['S'] ?? 'ERROR';
}

/** Whether the server ends the session with this error. */
export function endsSession(fields: ServerFields): boolean {
  const severity = severityOf(fields);
  return severity === 'FATAL' || severity === 'PANIC';
}
