// `update(...)`: an immutable builder that does not run before it was said which rows are meant.
import { NOT_TRANSFERABLE, type TransferGuard, transferGuard } from '../../errors/index.ts';
import type { AnyEntity } from '../entity.ts';
import type { Expr } from '../expr.ts';
import { conditions } from '../expression.ts';
import type { UpdateNode } from '../expression-node.ts';
import { makeUpdate, type WriteDraft } from './guarded-write.ts';
import { type KIND, NODE, type TARGET } from '../phantom.ts';
import type { Item } from '../rows.ts';
import { selectItems } from './select-item.ts';
import type { SetOf } from './settable.ts';
import type { Statement } from '../statement.ts';
import { assignments, tableOf } from './write.ts';

/** `G` is `false` until `where` or `everyRow` was called: an unguarded update does not execute. */
export interface Update<out E, out A = never, out G extends boolean = false> extends Statement<A, never, never, G> {
  readonly [TARGET]: E;
  readonly [KIND]: 'update';
  // oxlint-disable-next-line typescript/no-explicit-any -- only the entity matters here
  set<E2>(this: Update<E2, any, any>, v: SetOf<E2>): this;
  where(...e: Expr<boolean | null>[]): Update<E, A, true>;
  everyRow(): Update<E, A, true>;
  returning<R extends AnyEntity>(entity: R): Update<E, [R], G>;
  returning<R extends readonly [Item, ...Item[]]>(...items: R): Update<E, R, G>;
}

/** Changes rows of a table. */
export function update<E extends AnyEntity>(entity: E): Update<E> {
  const table = tableOf(entity);
  return new UpdateBuilder({ table, set: [], where: [], everyRow: false, returning: [] }) as unknown as Update<E>;
}

const GUARD: TransferGuard = transferGuard('An update', 'Send the values, and build it where it runs.');

class UpdateBuilder {
  readonly [NOT_TRANSFERABLE]: TransferGuard = GUARD;
  readonly #draft: WriteDraft;

  constructor(draft: WriteDraft) {
    this.#draft = draft;
  }
  /** Made anew each time: what `onUpdate` gives may be a function. */
  get [NODE](): UpdateNode {
    return makeUpdate(this.#draft);
  }
  toJSON(): Record<string, unknown> {
    return GUARD.json({ table: this.#draft.table.name });
  }
  set(values: object): UpdateBuilder {
    const given = assignments(this.#draft.table, values);
    const kept = this.#draft.set.filter(({ column }) => !given.some((one) => one.column === column));
    return new UpdateBuilder({ ...this.#draft, set: [...kept, ...given] });
  }
  where(...given: unknown[]): UpdateBuilder {
    return new UpdateBuilder({ ...this.#draft, where: [...this.#draft.where, ...conditions(given)] });
  }
  everyRow(): UpdateBuilder {
    return new UpdateBuilder({ ...this.#draft, everyRow: true });
  }
  returning(...items: unknown[]): UpdateBuilder {
    return new UpdateBuilder({ ...this.#draft, returning: selectItems(items) });
  }
}
