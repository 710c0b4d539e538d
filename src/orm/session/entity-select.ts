// SELECT of one class by its own key: what get, refresh and merge send.
import { binaryNode, bindNode, columnNode, logicalNode } from '../../sql/expression-factory.ts';
import type { LockNode, SelectNode } from '../../sql/expression-node.ts';
import type { TableColumn } from '../../sql/from.ts';
import { selectDraft } from '../../sql/statements/select-draft.ts';
import { makeSelect } from '../../sql/statements/select-factory.ts';
import type { Scalar } from '../../types/wire.ts';
import type { Mapper } from '../mapping/mapper.ts';

const LOCK: LockNode = Object.freeze({ mode: 'update', wait: 'wait', of: undefined });

export function selectByKey(mapper: Mapper, key: readonly Scalar[], lock: boolean): SelectNode {
  const { table, columns, primaryKey } = mapper;
  const where = primaryKey.map((index, at) => {
    const column = columns[index] as TableColumn;
    return binaryNode('eq', { left: columnNode(table, column), right: bindNode(key[at] as Scalar, column.type) });
  });
  return makeSelect({
    ...selectDraft([{ kind: 'entity', key: table.name, from: table, columns }]),
    from: [table],
    where: [logicalNode('and', where)],
    lock: lock ? LOCK : undefined,
  });
}
