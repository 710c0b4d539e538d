// Read-only work refuses what writes before anything is sent, as far as the statement says so; of raw SQL the server
// judges, in a transaction that is READ ONLY.
import type { CompileGuard } from '../../dialect/compile-cache.ts';
import { StateError } from '../../errors/index.ts';

const READS: ReadonlySet<string> = new Set(['select', 'text']);

/** Throws `ATH_STATE` for INSERT, UPDATE and DELETE. */
export const NO_WRITES: CompileGuard = Object.freeze({
  before({ kind }: { readonly kind: string }): void {
    if (READS.has(kind)) return;
    const command = kind.replace('bulk', '').toUpperCase();
    throw new StateError(`${command} was refused: this engine, connection or transaction is read only.`, {
      hint: 'Use an engine without readOnly, or begin with { readOnly: false }.',
      outcome: 'not-sent',
    });
  },
});
