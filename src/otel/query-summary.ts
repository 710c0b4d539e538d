// What a statement does and to which tables, read off its text: short enough to group by, and free of values.
import { Lru } from '../primitives/lru.ts';

export interface QuerySummary {
  /** SELECT, INSERT, ...; in capitals. */
  readonly operation: string;
  /** The table, where there is exactly one. */
  readonly collection: string | undefined;
  /** The operation and the tables it names. */
  readonly text: string;
}

const KEPT = 1_000;
const LONGEST = 255;
const known = new Lru<string, QuerySummary>(KEPT);

/** The summary of a text. Remembered: texts come again. */
export function querySummary(sql: string): QuerySummary {
  let summary = known.get(sql);
  if (summary === undefined) known.set(sql, (summary = summarized(sql)));
  return summary;
}

const COMMENTS = /\/\*[\s\S]*?\*\/|--[^\n]*/g;
/** Strings, then quoted text of PostgreSQL's kind, then numbers that are no part of a name or a placeholder. */
const LITERALS = /'(?:[^']|'')*'|\$([A-Za-z_]\w*)?\$[\s\S]*?\$\1\$|(?<![\w$?.:"])\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi;
const NAME = '(?:"(?:[^"]|"")+"|[A-Za-z_][\\w$]*)';
const TABLES = new RegExp(
  `\\b(?:FROM|INTO|UPDATE|JOIN|TABLE(?:\\s+IF(?:\\s+NOT)?\\s+EXISTS)?)\\s+(?:ONLY\\s+)?(${NAME}(?:\\.${NAME})?)`,
  'gi',
);
const COMMON = new RegExp(`(?:\\bWITH\\s+(?:RECURSIVE\\s+)?|,\\s*)(${NAME})\\s*(?:\\([^()]*\\)\\s*)?AS\\s*\\(`, 'gi');

function summarized(given: string): QuerySummary {
  const sql = withoutLiterals(given.replace(COMMENTS, ' '));
  const operation = operationOf(sql);
  const common = new Set(Array.from(sql.matchAll(COMMON), ([, name]) => bare(name as string)));
  const tables = new Set(Array.from(sql.matchAll(TABLES), ([, name]) => bare(name as string)));
  for (const name of common) tables.delete(name);
  const words = [operation, ...tables].join(' ');
  return Object.freeze({
    operation,
    collection: tables.size === 1 ? [...tables][0] : undefined,
    text: words.length > LONGEST ? words.slice(0, LONGEST) : words,
  });
}

/** The first word; of a statement with WITH, the first that is outside of its parentheses. */
function operationOf(sql: string): string {
  const first = /[A-Za-z]+/.exec(sql)?.[0].toUpperCase() ?? 'UNKNOWN';
  if (first !== 'WITH') return first;
  let outside = sql;
  for (let before = ''; before !== outside; ) {
    before = outside;
    outside = outside.replace(/\([^()]*\)/g, ' ');
  }
  return /\b(SELECT|INSERT|UPDATE|DELETE|MERGE|VALUES)\b/i.exec(outside)?.[1]?.toUpperCase() ?? first;
}

function bare(name: string): string {
  return name.replace(/"/g, '');
}

/** The text with a question mark for each value that stands in it. */
export function withoutLiterals(sql: string): string {
  return sql.replace(LITERALS, '?');
}
