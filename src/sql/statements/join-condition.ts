// Finds what a join left open: the condition, from a relation or from foreign keys. Conditions between the same two
// elements are made once and kept, so that a join costs nothing the second time.
import { CompileError } from '../../errors/index.ts';
import { binaryNode, columnNode, logicalNode } from '../expression-factory.ts';
import type { ExpressionNode, JoinNode } from '../expression-node.ts';
import type { ForeignKeyElement, FromColumn, FromElement, TableColumn } from '../from.ts';
import { RELATION } from '../phantom.ts';
import { isRelation, type RelationExpression, type RelationJoin } from '../relation.ts';
import type { JoinDraft } from './select-draft.ts';

/** What one join of a builder becomes: two where a table lies in between. */
export interface ResolvedJoin {
  readonly joins: readonly JoinNode[];
  /** What it must find in FROM. */
  readonly source: FromElement | undefined;
}

const ofRelations = new WeakMap<RelationJoin, Partial<Record<JoinNode['kind'], ResolvedJoin>>>();
const ofForeignKeys = new WeakMap<FromElement, WeakMap<FromElement, ExpressionNode | 'none' | 'several'>>();

/** `present` gives the elements before the join. Throws `ATH_COMPILE` where no condition, or more than one, can be found. */
export function resolveJoin(draft: JoinDraft, present: () => readonly FromElement[]): ResolvedJoin {
  const { kind, target, on } = draft;
  if (isRelation(target)) return on === undefined ? relationJoin(kind, target) : explicitJoin(kind, target, on);
  const condition = on ?? conditionBetween(present(), target);
  return { joins: [{ kind, from: target, on: condition }], source: undefined };
}

function relationJoin(kind: JoinNode['kind'], relation: RelationExpression): ResolvedJoin {
  const join = relation[RELATION]();
  const known = ofRelations.get(join);
  if (known?.[kind] !== undefined) return known[kind];
  const { source, target, secondary } = join;
  const joins: JoinNode[] =
    secondary === undefined
      ? [{ kind, from: target, on: join.on(source, target) }]
      : [
          { kind, from: secondary.from, on: join.on(source, secondary.from) },
          { kind, from: target, on: secondary.on(secondary.from, target) },
        ];
  const resolved = { joins, source };
  ofRelations.set(join, { ...known, [kind]: resolved });
  return resolved;
}

function explicitJoin(kind: JoinNode['kind'], relation: RelationExpression, on: ExpressionNode): ResolvedJoin {
  const { source, target } = relation[RELATION]();
  return { joins: [{ kind, from: target, on }], source };
}

function conditionBetween(present: readonly FromElement[], target: FromElement): ExpressionNode {
  let found: ExpressionNode | undefined;
  for (const element of present) {
    const condition = foreignKeyCondition(element, target);
    if (condition === 'none') continue;
    if (condition === 'several' || found !== undefined) {
      throw new CompileError(`There is more than one way to join ${target.name}.`, {
        hint: 'Give join() a condition, or the relation to follow.',
      });
    }
    found = condition;
  }
  if (found !== undefined) return found;
  throw new CompileError(`No foreign key connects ${target.name} with ${namesOf(present)}.`, {
    hint: 'Give join() a condition as its second argument.',
  });
}

function namesOf(elements: readonly FromElement[]): string {
  return elements.length === 0 ? 'anything in FROM' : elements.map(({ name }) => name).join(', ');
}

function foreignKeyCondition(left: FromElement, right: FromElement): ExpressionNode | 'none' | 'several' {
  let ofLeft = ofForeignKeys.get(left);
  if (ofLeft === undefined) ofForeignKeys.set(left, (ofLeft = new WeakMap()));
  let condition = ofLeft.get(right);
  if (condition === undefined) ofLeft.set(right, (condition = findCondition(left, right)));
  return condition;
}

function findCondition(left: FromElement, right: FromElement): ExpressionNode | 'none' | 'several' {
  const found = [
    ...keysBetween(left, right).map((key) => equalities(left, right, key)),
    // A self reference would be found twice.
    ...(left.table === right.table ? [] : keysBetween(right, left).map((key) => equalities(right, left, key))),
  ];
  const [only] = found;
  if (only === undefined) return 'none';
  return found.length === 1 ? only : 'several';
}

function keysBetween(from: FromElement, to: FromElement): readonly ForeignKeyElement[] {
  if (from.table === undefined || to.table === undefined) return [];
  return from.table.foreignKeys.filter((key) => key.target().table === to.table);
}

function equalities(from: FromElement, to: FromElement, key: ForeignKeyElement): ExpressionNode {
  const targets = key.target().columns;
  return logicalNode(
    'and',
    key.columns.map((column, index) =>
      binaryNode('eq', {
        left: columnNode(from, column),
        right: columnNode(to, targets[index] as FromColumn & TableColumn),
      }),
    ),
  );
}
