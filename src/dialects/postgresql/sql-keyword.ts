// The first word of a statement, found without parsing it: enough to know which statements begin and end transactions.

/** Comments and blanks before the first word. */
const LEADING = /^(?:\s+|--[^\n]*(?:\n|$)|\/\*[^*]*\*+(?:[^/*][^*]*\*+)*\/)+/;

function trimmed(sql: string): string {
  const start = LEADING.exec(sql)?.[0].length ?? 0;
  return sql.slice(start, start + 64).toLowerCase();
}

/** Whether the statement ends a transaction by committing it, if it succeeds. */
export function commits(sql: string): boolean {
  return /^(?:commit|end)\b/.test(trimmed(sql));
}

/** Whether the statement means to roll back, wholly or to a savepoint. */
export function rollsBack(sql: string): boolean {
  return /^(?:rollback|abort)\b/.test(trimmed(sql));
}

/** Whether the statement ends the transaction by rolling it back. */
export function rollsBackAll(sql: string): boolean {
  return rollsBack(sql) && !/^rollback\s+(?:(?:work|transaction)\s+)?to\b/.test(trimmed(sql));
}

/** Whether the statement opens a transaction. */
export function begins(sql: string): boolean {
  return /^(?:begin|start)\b/.test(trimmed(sql));
}

/** Whether the statement takes COPY's data from the client. */
export function copiesFrom(sql: string): boolean {
  return /^copy\b/.test(trimmed(sql)) && /\bfrom\s+stdin\b/i.test(sql);
}

/** Whether the statement gives COPY's data to the client. */
export function copiesTo(sql: string): boolean {
  return /^copy\b/.test(trimmed(sql)) && /\bto\s+stdout\b/i.test(sql);
}
