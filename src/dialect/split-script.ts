// Cuts a script into statements at the semicolons that end one: not those in strings, comments, dollar quotes, brackets
// or the bodies of functions and triggers. Drivers send one statement at a time, whatever the script holds.
import { UsageError } from '../errors/index.ts';

/** What a database reads as one piece. */
export interface ScriptRules {
  /** `$tag$ ... $tag$`. */
  readonly dollarQuotes?: boolean | undefined;
  /** A comment inside a comment ends for itself. */
  readonly nestedComments?: boolean | undefined;
  /** `E'\''`. */
  readonly escapes?: boolean | undefined;
  /** `[name]` and `` `name` ``. */
  readonly brackets?: boolean | undefined;
}

interface Token {
  readonly kind: 'word' | 'mark' | 'quoted' | 'trivia';
  readonly text: string;
  readonly start: number;
}

const SPACE = /\s+/y;
const LINE_COMMENT = /--[^\n]*/y;
const WORD = /[\p{L}_][\p{L}\p{N}_$]*/uy;
const STRING = /'(?:[^']|'')*'/y;
const ESCAPE_STRING = /'(?:[^'\\]|\\[\s\S]|'')*'/y;
const NAME = /"(?:[^"]|"")*"/y;
const BRACKET = /\[[^\]]*\]|`(?:[^`]|``)*`/y;
const DOLLAR = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy;

/** The statements of a script, without their semicolons. Throws `ATH_USAGE` where a string, name or comment does not end. */
export function splitScript(script: string, rules: ScriptRules): readonly string[] {
  const statements: string[] = [];
  let start = 0;
  let words: string[] = [];
  let filled = false;
  let depth = 0;
  const end = (at: number): void => {
    if (filled) statements.push(script.slice(start, at).trim());
    start = at + 1;
    words = [];
    filled = false;
    depth = 0;
  };
  for (const token of tokens(script, rules)) {
    if (token.kind === 'mark' && token.text === ';' && depth <= 0) {
      end(token.start);
      continue;
    }
    if (token.kind === 'trivia') continue;
    filled = true;
    if (token.kind === 'word') words.push(token.text.toLowerCase());
    depth += step(token, words);
  }
  end(script.length);
  return statements;
}

/** The words of a script in lower case, those in strings, names and comments left out. */
export function scriptWords(script: string, rules: ScriptRules): string[] {
  const words: string[] = [];
  for (const { kind, text } of tokens(script, rules)) if (kind === 'word') words.push(text.toLowerCase());
  return words;
}

/** How far a token leads in (1) or out (-1) of something semicolons may stand in. */
function step({ kind, text }: Token, words: readonly string[]): number {
  if (kind === 'mark') return text === '(' ? 1 : text === ')' ? -1 : 0;
  if (kind !== 'word' || !hasBody(words)) return 0;
  const word = words.at(-1);
  return word === 'begin' || word === 'case' ? 1 : word === 'end' ? -1 : 0;
}

const BODIES: ReadonlySet<string | undefined> = new Set(['function', 'procedure', 'trigger']);

function hasBody(words: readonly string[]): boolean {
  return words[0] === 'create' && words.slice(1, 5).some((word) => BODIES.has(word));
}

function* tokens(script: string, rules: ScriptRules): Generator<Token> {
  if (script.includes('\0')) throw new UsageError('SQL text contains a NUL character.');
  let word = '';
  for (let start = 0; start < script.length; ) {
    const match = (pattern: RegExp): string | undefined => {
      pattern.lastIndex = start;
      return pattern.exec(script)?.[0];
    };
    const token = next(script, start, { rules, match, escaped: rules.escapes === true && /^e$/i.test(word) });
    word = token.kind === 'word' ? token.text : '';
    yield token;
    start += token.text.length;
  }
}

interface Reading {
  readonly rules: ScriptRules;
  readonly match: (pattern: RegExp) => string | undefined;
  /** An E stands right before. */
  readonly escaped: boolean;
}

function next(script: string, start: number, { rules, match, escaped }: Reading): Token {
  const trivia = match(SPACE) ?? match(LINE_COMMENT);
  if (trivia !== undefined) return { kind: 'trivia', text: trivia, start };
  if (script.startsWith('/*', start)) return { kind: 'trivia', text: comment(script, start, rules), start };
  const quoted =
    match(escaped ? ESCAPE_STRING : STRING) ?? match(NAME) ?? (rules.brackets === true ? match(BRACKET) : undefined);
  if (quoted !== undefined) return { kind: 'quoted', text: quoted, start };
  const tag = rules.dollarQuotes === true ? match(DOLLAR) : undefined;
  if (tag !== undefined) {
    const end = script.indexOf(tag, start + tag.length);
    if (end < 0) throw open(script, start);
    return { kind: 'quoted', text: script.slice(start, end + tag.length), start };
  }
  const word = match(WORD);
  if (word !== undefined) return { kind: 'word', text: word, start };
  const mark = script[start] as string;
  if (mark === "'" || mark === '"') throw open(script, start);
  return { kind: 'mark', text: mark, start };
}

function comment(script: string, start: number, { nestedComments }: ScriptRules): string {
  let depth = 0;
  for (let at = start; at < script.length; at += 1) {
    if (script.startsWith('/*', at) && (depth === 0 || nestedComments === true)) {
      depth += 1;
      at += 1;
    } else if (script.startsWith('*/', at)) {
      depth -= 1;
      at += 1;
      if (depth === 0) return script.slice(start, at + 1);
    }
  }
  throw open(script, start);
}

function open(script: string, start: number): UsageError {
  const line = script.slice(0, start).split('\n').length;
  return new UsageError(`The script has a string, name or comment that does not end; it begins in line ${line}.`);
}
