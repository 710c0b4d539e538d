// Two facts about a statement's text that `node:sqlite` keeps to itself: which command it is, and whether something
// stands behind its end, which SQLite would silently never run.
import { UsageError } from '../../../errors/index.ts';

const TRIVIA = /^(?:\s|--|\/\*)/;
const TOKEN =
  /\s+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*'?|"(?:[^"]|"")*"?|`(?:[^`]|``)*`?|\[[^\]]*\]?|[A-Za-z_][\w$]*|[\s\S]/g;
const ROW_COMMANDS = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'REPLACE', 'VALUES']);

/** The command of the one statement in `sql`, in capitals. Throws `ATH_USAGE` for several statements or a NUL character. */
export function scanCommand(sql: string): string {
  if (sql.includes('\0')) throw new UsageError('SQL text contains a NUL character.');
  const tokens = significant(sql);
  const words = tokens.map((token) => token.toUpperCase());
  const trigger = words[0] === 'CREATE' && words.slice(1, 3).includes('TRIGGER');
  const end = trigger ? -1 : tokens.indexOf(';');
  if (end >= 0 && tokens.slice(end).some((token) => token !== ';')) {
    throw new UsageError('SQL text holds more than one statement.', {
      hint: 'Send each statement on its own; SQLite would run the first only.',
    });
  }
  return commandOf(words);
}

function commandOf(words: readonly string[]): string {
  const first = words[0] ?? '';
  if (first === 'WITH') return firstAtTop(words) ?? first;
  if (first === 'END') return 'COMMIT';
  if (first === 'ROLLBACK' && (words[1] === 'TO' || words[2] === 'TO')) return 'ROLLBACK TO';
  return first;
}

/** The command that the common table expressions are for. */
function firstAtTop(words: readonly string[]): string | undefined {
  let depth = 0;
  for (const word of words) {
    if (word === '(') depth++;
    else if (word === ')') depth--;
    else if (depth === 0 && ROW_COMMANDS.has(word)) return word;
  }
  return undefined;
}

function significant(sql: string): string[] {
  return (sql.match(TOKEN) ?? []).filter((token) => !TRIVIA.test(token));
}
