// Several statements in one text are something only the server's simple protocol takes. The driver speaks the other
// one, so a text without parameters is cut at its semicolons first, wherever they are not part of something else.

/** What a semicolon may stand in: comments, quoted text and names, text between dollars. */
const OPAQUE =
  /--[^\n]*|\/\*|\b[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$|;|\b(?:begin\s+atomic|case|end)\b|[\w$\u0080-\uffff]+/gi;

/** The statements of a text; one where it holds no second, and none where it holds nothing but blanks and comments. */
export function splitStatements(sql: string): string[] {
  if (!sql.includes(';')) return [sql];
  const parts: string[] = [];
  const state = { start: 0, empty: true, depth: 0 };
  const token = new RegExp(OPAQUE);
  let seen = 0;
  for (let match = token.exec(sql); match !== null; match = token.exec(sql)) {
    const [word] = match;
    state.empty &&= sql.slice(seen, match.index).trim() === '' && (word === ';' || /^(?:--|\/\*)/.test(word));
    if (word === '/*') token.lastIndex = commentEnd(sql, token.lastIndex);
    else if (word.startsWith('$') && word.endsWith('$')) token.lastIndex = dollarEnd(sql, word, token.lastIndex);
    else if (word === ';' && state.depth === 0) {
      if (!state.empty) parts.push(sql.slice(state.start, match.index));
      state.start = token.lastIndex;
      state.empty = true;
    } else state.depth = depthAfter(word, state.depth);
    seen = token.lastIndex;
  }
  state.empty &&= sql.slice(seen).trim() === '';
  if (!state.empty) parts.push(sql.slice(state.start));
  return parts.length === 0 ? [''] : parts;
}

/** A routine's body between BEGIN ATOMIC and END has semicolons of its own. */
function depthAfter(word: string, depth: number): number {
  if (/^begin\s/i.test(word)) return depth + 1;
  if (depth === 0) return 0;
  if (/^case$/i.test(word)) return depth + 1;
  return /^end$/i.test(word) ? depth - 1 : depth;
}

/** Comments may lie in each other. */
function commentEnd(sql: string, from: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = from;
  for (let depth = 1; ; ) {
    const match = mark.exec(sql);
    if (match === null) return sql.length;
    depth += match[0] === '/*' ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
}

function dollarEnd(sql: string, mark: string, from: number): number {
  const end = sql.indexOf(mark, from);
  return end === -1 ? sql.length : end + mark.length;
}
