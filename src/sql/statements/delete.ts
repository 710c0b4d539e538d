// `deleteFrom(...)`: an immutable builder that does not run before it was said which rows are meant.
import { NOT_TRANSFERABLE, type TransferGuard, transferGuard } from '../../errors/index.ts';
import type { AnyEntity } from '../entity.ts';
import type { Expr } from '../expr.ts';
import { conditions } from '../expression.ts';
import type { DeleteNode } from '../expression-node.ts';
import { makeDelete, type WriteDraft } from './guarded-write.ts';
import { type KIND, NODE, type TARGET } from '../phantom.ts';
import type { Item } from '../rows.ts';
import { selectItems } from './select-item.ts';
import type { Statement } from '../statement.ts';
import { tableOf } from './write.ts';

/** `G` is `false` until `where` or `everyRow` was called: an unguarded delete does not execute. */
export interface Delete<out E, out A = never, out G extends boolean = false> extends Statement<A, never, never, G> {
  readonly [TARGET]: E;
  readonly [KIND]: 'delete';
  where(...e: Expr<boolean | null>[]): Delete<E, A, true>;
  everyRow(): Delete<E, A, true>;
  returning<R extends AnyEntity>(entity: R): Delete<E, [R], G>;
  returning<R extends readonly [Item, ...Item[]]>(...items: R): Delete<E, R, G>;
}

/** Deletes rows of a table. */
export function deleteFrom<E extends AnyEntity>(entity: E): Delete<E> {
  const table = tableOf(entity);
  return new DeleteBuilder({ table, set: [], where: [], everyRow: false, returning: [] }) as unknown as Delete<E>;
}

const GUARD: TransferGuard = transferGuard('A delete', 'Send the values, and build it where it runs.');

class DeleteBuilder {
  readonly [NOT_TRANSFERABLE]: TransferGuard = GUARD;
  readonly #draft: WriteDraft;
  #node: DeleteNode | undefined;

  constructor(draft: WriteDraft) {
    this.#draft = draft;
  }
  get [NODE](): DeleteNode {
    this.#node ??= makeDelete(this.#draft);
    return this.#node;
  }
  toJSON(): Record<string, unknown> {
    return GUARD.json({ table: this.#draft.table.name });
  }
  where(...given: unknown[]): DeleteBuilder {
    return new DeleteBuilder({ ...this.#draft, where: [...this.#draft.where, ...conditions(given)] });
  }
  everyRow(): DeleteBuilder {
    return new DeleteBuilder({ ...this.#draft, everyRow: true });
  }
  returning(...items: unknown[]): DeleteBuilder {
    return new DeleteBuilder({ ...this.#draft, returning: selectItems(items) });
  }
}
