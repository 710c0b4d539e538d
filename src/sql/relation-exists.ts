// EXISTS over a relation: what `User.c.orders.any(...)` means.
import { CompileError } from '../errors/index.ts';
import { aliasElement } from './alias.ts';
import { constantNode, existsNode, notNode } from './expression-factory.ts';
import type { ExpressionNode } from './expression-node.ts';
import type { FromElement } from './from.ts';
import type { RelationJoin } from './relation.ts';
import { selectDraft } from './statements/select-draft.ts';
import { makeSelect, sameElement } from './statements/select-factory.ts';

/** Whether a related row exists for which `criterion` holds. */
export function relationExists(join: RelationJoin, criterion?: ExpressionNode): ExpressionNode {
  const { source, secondary } = join;
  const target = apart(join, criterion);
  const where =
    secondary === undefined
      ? [join.on(source, target)]
      : [join.on(source, secondary.from), secondary.on(secondary.from, target)];
  if (criterion !== undefined) where.push(criterion);
  const from = secondary === undefined ? [target] : [target, secondary.from];
  const items = [{ kind: 'value' as const, key: 'anon_1', named: false, node: constantNode('true') }];
  return existsNode(makeSelect({ ...selectDraft(items), from, where }));
}

/** Rows related to rows of their own table: inside they need another name. */
function apart({ source, target }: RelationJoin, criterion: ExpressionNode | undefined): FromElement {
  if (!sameElement(source, target)) return target;
  if (criterion === undefined) return aliasElement(target, `${target.name}_1`);
  throw new CompileError(`any() with a condition cannot tell the two sides of ${source.name} apart.`, {
    hint: `Go out from an alias: alias(${source.name}, 'a').c, and put conditions on the class itself.`,
  });
}

/** Whether no related row exists for which `criterion` holds. */
export function relationMissing(join: RelationJoin, criterion?: ExpressionNode): ExpressionNode {
  return notNode(relationExists(join, criterion));
}
