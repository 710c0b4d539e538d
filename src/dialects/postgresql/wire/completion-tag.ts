// CommandComplete's tag: `INSERT 0 5`, `SELECT 12`, `CREATE TABLE`.
import type { Frame } from './frame.ts';
import { stringEnd } from './description.ts';

export interface CompletionTag {
  readonly command: string;
  readonly count: number | undefined;
}

const known = new Map<string, CompletionTag>();
const KEEP = 200;

/** The command and count of a tag. */
export function parseTag(tag: string): CompletionTag {
  const match = /^(.*?)(?: \d+)? (\d+)$/.exec(tag);
  return match === null ? { command: tag, count: undefined } : { command: match[1] ?? '', count: Number(match[2]) };
}

/** Reads the tag. The commonest are remembered: `SELECT 1` is always the same object. */
export function readTag(frame: Frame): CompletionTag {
  const tag = frame.bytes.toString('latin1', frame.start, stringEnd(frame, frame.start));
  const found = known.get(tag);
  if (found !== undefined) return found;
  const parsed = Object.freeze(parseTag(tag));
  if (known.size < KEEP) known.set(tag, parsed);
  return parsed;
}
