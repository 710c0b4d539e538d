// SELECT of one class by its own key: what get, refresh and merge send. All of it but the key's values is made once for
// a class.
import { binaryNode, bindNode, columnNode, logicalNode } from '../../sql/expression-factory.ts';
import type { BinaryNode, ExpressionNode, LockNode, SelectNode } from '../../sql/expression-node.ts';
import type { TableColumn } from '../../sql/from.ts';
import { selectDraft } from '../../sql/statements/select-draft.ts';
import { makeSelect } from '../../sql/statements/select-factory.ts';
import type { Scalar } from '../../types/wire.ts';
import type { Mapper } from '../mapping/mapper.ts';

const LOCK: LockNode = Object.freeze({ mode: 'update', wait: 'wait', of: undefined });

/** A statement whose values are still to be put in. */
interface Template {
  readonly select: SelectNode;
  readonly tables: SelectNode['tables'];
  /** One comparison for each column of the key. */
  readonly equals: readonly BinaryNode[];
}

const plain = new WeakMap<Mapper, Template>();
const locked = new WeakMap<Mapper, Template>();

export function selectByKey(mapper: Mapper, key: readonly Scalar[], lock: boolean): SelectNode {
  const { select, tables, equals } = templateOf(mapper, lock);
  const compared = equals.map((node, at) => {
    const right = Object.freeze({ ...node.right, value: key[at] as Scalar }) as ExpressionNode;
    return Object.freeze({ ...node, right });
  });
  const where = compared.length === 1 ? compared[0] : Object.freeze({ ...select.where, items: compared });
  return Object.freeze({ ...select, tables, where: where as ExpressionNode });
}

function templateOf(mapper: Mapper, lock: boolean): Template {
  const known = lock ? locked : plain;
  let template = known.get(mapper);
  if (template === undefined) known.set(mapper, (template = makeTemplate(mapper, lock)));
  return template;
}

function makeTemplate({ table, columns, primaryKey }: Mapper, lock: boolean): Template {
  const equals = primaryKey.map((index) => {
    const column = columns[index] as TableColumn;
    return binaryNode('eq', { left: columnNode(table, column), right: bindNode(null, column.type) });
  });
  const select = makeSelect({
    ...selectDraft([{ kind: 'entity', key: table.name, from: table, columns }]),
    from: [table],
    where: [logicalNode('and', equals)],
    lock: lock ? LOCK : undefined,
  });
  return { select, tables: select.tables, equals };
}
