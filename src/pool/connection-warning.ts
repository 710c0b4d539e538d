// What a pool says about a connection that was treated badly: to the process's warnings, with who had it and what it
// did last, because an exception would hit somebody who is not to blame.
import type { Entry } from './entry.ts';

/** Emits a process warning about a connection that is, or was, out. */
export function warnOf(code: string, what: (id: string) => string, entry: Entry): void {
  const last = entry.last?.at(-1)?.text.sql;
  const statement = last === undefined ? '' : `; last statement: ${last.slice(0, 200)}`;
  const site = entry.site === undefined ? '' : `; taken at ${entry.site.toString()}`;
  process.emitWarning(`${what(entry.id)}${site}${statement}.`, { type: 'AthanorWarning', code });
}
