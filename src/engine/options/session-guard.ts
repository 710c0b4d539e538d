// Behind a pooler that gives each transaction another session, what belongs to a session is refused by name.
import type { CompileGuard } from '../../dialect/compile-cache.ts';
import type { Dialect } from '../../dialect/dialect.ts';
import type { StatementText } from '../../driver/driver.ts';
import { UnsupportedError } from '../../errors/index.ts';

/** What sits between the engine and the server. */
export type Pooler = 'session' | 'transaction';

/** Throws `ATH_UNSUPPORTED` for SQL that a pooler in transaction mode would break. */
export function sessionCheck(dialect: Dialect): (sql: string) => void {
  return (sql) => {
    const what = dialect.sessionBound?.(sql);
    if (what !== undefined) throw needsSession(what);
  };
}

/** The same for statements of the expression language that hold raw SQL. */
export function sessionGuard(check: (sql: string) => void): CompileGuard {
  const passed = new WeakSet<StatementText>();
  return Object.freeze({
    after({ text }: { readonly text: StatementText }, { kind }: { readonly kind: string }): void {
      if (kind !== 'text' || passed.has(text)) return;
      check(text.sql);
      passed.add(text);
    },
  });
}

export function needsSession(what: string): UnsupportedError {
  return new UnsupportedError(
    `${what}: this needs a session of its own, and the pooler gives each transaction another.`,
    {
      hint: 'Use an engine that goes to the server directly for this, or the pooler in session mode.',
      outcome: 'not-sent',
    },
  );
}
