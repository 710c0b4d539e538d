// What stands under `.c` of a mapped class, or of an alias of one: columns, relations and hybrids.
import { MappingError } from '../../errors/index.ts';
import { attributes } from '../../sql/attribute.ts';
import { Expression } from '../../sql/expression.ts';
import { binaryNode, columnNode, labelNode, logicalNode, notNode } from '../../sql/expression-factory.ts';
import type { ExpressionNode } from '../../sql/expression-node.ts';
import type { FromElement } from '../../sql/from.ts';
import { expressionNode } from '../../sql/operand.ts';
import { RELATION } from '../../sql/phantom.ts';
import type { RelationExpression, RelationJoin } from '../../sql/relation.ts';
import { relationExists } from '../../sql/relation-exists.ts';
import type { ForeignKeyLink, Mapper, Relation } from './mapper.ts';

/** The SQL half of hybrids: made from the attributes of the table or alias they are asked of. */
export type HybridMaker = (columns: object) => Readonly<Record<string, unknown>>;

/** A relation seen from the class: what joins, EXISTS and loader options are made of. */
export class RelationAttribute implements RelationExpression {
  readonly #mapper: Mapper;
  readonly #key: string;
  /** The table or alias it goes out from. */
  readonly from: FromElement;
  #join: RelationJoin | undefined;
  constructor(mapper: Mapper, key: string, from: FromElement) {
    this.#mapper = mapper;
    this.#key = key;
    this.from = from;
  }
  /** The relation itself, configured on first use. */
  get relation(): Relation {
    return this.#mapper.relation(this.#key);
  }
  readonly [RELATION] = (): RelationJoin => {
    this.#join ??= relationJoin(this.relation, this.from);
    return this.#join;
  };
  any(criterion?: unknown): Expression {
    const condition = criterion === undefined ? undefined : expressionNode(criterion);
    return new Expression(relationExists(this[RELATION](), condition));
  }
  none(criterion?: unknown): Expression {
    const condition = criterion === undefined ? undefined : expressionNode(criterion);
    return new Expression(notNode(relationExists(this[RELATION](), condition)));
  }
}

/** Everything under `.c`, by name. */
export function entityAttributes(mapper: Mapper, from: FromElement, hybrids: HybridMaker | undefined): object {
  const all: Record<string, unknown> = Object.create(null);
  Object.assign(all, attributes(from));
  for (const key of mapper.definitions.keys()) all[key] = new RelationAttribute(mapper, key, from);
  for (const [key, derived] of mapper.derived) {
    // A getter, for the expression may use classes that are not defined yet.
    Object.defineProperty(all, key, {
      enumerable: true,
      get: () => new Expression(labelNode(expressionNode(derived.expression()), key)),
    });
  }
  const columns = { ...attributes(from) };
  const made = hybrids?.(Object.freeze(columns)) ?? {};
  for (const key of Object.keys(made)) {
    if (key in all) throw new MappingError(`${mapper.name}: the hybrid ${key} has the name of a column or relation.`);
    all[key] = new Expression(labelNode(expressionNode(made[key]), key));
  }
  return Object.freeze(all);
}

function relationJoin(relation: Relation, source: FromElement): RelationJoin {
  const { link, far, direction, target } = relation;
  if (direction === 'through' && far !== undefined) {
    return {
      source,
      target: target.table,
      on: (owner, middle) => pairs(link, middle, owner),
      secondary: { from: link.child.table, on: (middle, end) => pairs(far, middle, end) },
    };
  }
  if (direction === 'parent')
    return { source, target: target.table, on: (child, parent) => pairs(link, child, parent) };
  return { source, target: target.table, on: (parent, child) => pairs(link, child, parent) };
}

/** The columns of the foreign key in `child` equal those they point to in `parent`. */
function pairs(link: ForeignKeyLink, child: FromElement, parent: FromElement): ExpressionNode {
  return logicalNode(
    'and',
    link.childIndexes.map((index, at) =>
      binaryNode('eq', {
        left: column(child, index),
        right: column(parent, link.parentIndexes[at] as number),
      }),
    ),
  );
}

function column(from: FromElement, index: number): ExpressionNode {
  return columnNode(from, from.columns[index] as FromElement['columns'][number]);
}
