// Makes the nodes of UPDATE and DELETE, which share their shape: a table, conditions, and what comes back. Without a
// condition they touch every row, so that must have been said.
import { UsageError } from '../../errors/index.ts';
import { joinReach, keyedList, logicalNode, usedBy } from '../expression-factory.ts';
import type { Assignment, DeleteNode, ExpressionNode, Reach, SelectItem, UpdateNode } from '../expression-node.ts';
import type { FromElement, TableElement } from '../from.ts';
import { elementReach, identityPattern, itemFroms, tablesOf } from './select-factory.ts';
import { assignmentsKey, returningKey, withOnUpdate } from './write.ts';

export interface WriteDraft {
  readonly table: TableElement;
  readonly set: readonly Assignment[];
  readonly where: readonly ExpressionNode[];
  /** `everyRow()` was called. */
  readonly everyRow: boolean;
  readonly returning: readonly SelectItem[];
}

export function makeUpdate(draft: WriteDraft): UpdateNode {
  if (draft.set.length === 0) throw new UsageError(`The update of ${draft.table.name} sets nothing.`);
  const set = withOnUpdate(draft.table, draft.set);
  const shared = sharedParts(draft, set, 'update');
  return Object.freeze({
    kind: 'update' as const,
    ...shared,
    key: `P${assignmentsKey(set)}${shared.key}`,
    set,
    get tables(): readonly FromElement[] | undefined {
      return tablesOf(shared.reach);
    },
  });
}

export function makeDelete(draft: WriteDraft): DeleteNode {
  const shared = sharedParts(draft, [], 'delete');
  return Object.freeze({
    kind: 'delete' as const,
    ...shared,
    key: `M${shared.key}`,
    get tables(): readonly FromElement[] | undefined {
      return tablesOf(shared.reach);
    },
  });
}

interface SharedParts {
  readonly key: string;
  readonly table: FromElement;
  readonly implicit: readonly FromElement[];
  readonly where: ExpressionNode | undefined;
  readonly returning: readonly SelectItem[];
  readonly reach: Reach;
}

function sharedParts(draft: WriteDraft, set: readonly Assignment[], what: string): SharedParts {
  const { table, where: given, everyRow, returning } = draft;
  if (given.length === 0 && !everyRow) {
    throw new UsageError(`The ${what} of ${table.name} has no condition.`, {
      hint: 'Add where(), or everyRow() if every row is meant.',
    });
  }
  const where = given.length === 0 ? undefined : logicalNode('and', given);
  const values = returning.flatMap((item) => (item.kind === 'value' ? [item.node] : []));
  const used = usedBy([...set.map(({ value }) => value), ...given, ...values]);
  const implicit = [...new Set([...used.froms, ...itemFroms(returning)])].filter((one) => one !== table);
  let reach: Reach = { elements: [table, ...implicit], raw: false };
  for (const element of implicit) reach = joinReach(reach, elementReach(element)) ?? reach;
  reach = joinReach(reach, used.reach) ?? reach;
  const key = `${table.key}${where?.key ?? '-'}${keyedList(implicit)}${returningKey(returning)}`;
  return { key: `${key}${identityPattern(reach.elements)};`, table, implicit, where, returning, reach };
}
