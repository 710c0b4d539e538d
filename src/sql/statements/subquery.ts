// Selects in FROM: subqueries, common table expressions, and recursive ones.
import { CompileError, UsageError } from '../../errors/index.ts';
import { UNKNOWN } from '../../types/unknown-type.ts';
import { attributes } from '../attribute.ts';
import type { AnySubquery, RowAttrs } from '../expr.ts';
import { keyed } from '../expression-factory.ts';
import type { QueryElement, SelectNode } from '../expression-node.ts';
import { FROM, type FromColumn, type FromElement } from '../from.ts';
import { internKey } from './intern-key.ts';
import type { NAMED, OWNER } from '../phantom.ts';
import { columnName } from './select-item.ts';

/** A select that stands in FROM: `R` is its row, `N` its name. */
export interface Subquery<R, N extends string> extends AnySubquery {
  readonly [NAMED]: R;
  readonly [OWNER]: N;
  readonly c: RowAttrs<R, N>;
}

/** The columns a query around `query` sees. Throws `ATH_USAGE` for whole entities and equal names. */
function outputColumns(query: SelectNode): readonly FromColumn[] {
  const names = new Set<string>();
  return query.items.map((item) => {
    if (item.kind === 'entity') {
      throw new UsageError('A subquery selects columns, not whole entities.', { hint: `Name columns of ${item.key}.` });
    }
    const name = columnName(item);
    if (names.has(name)) {
      throw new CompileError(`The subquery has two columns named ${name}.`, { hint: 'label() one of them.' });
    }
    names.add(name);
    return { name, key: item.key, type: item.node.type ?? UNKNOWN };
  });
}

/** A select as an element of FROM. */
export function queryElement(kind: QueryElement['kind'], name: string, query: SelectNode): QueryElement {
  if (typeof name !== 'string' || name === '') throw new UsageError(`A ${kind} needs a name.`);
  const key = internKey(`${kind[0]}${keyed(name)}${query.key}`);
  return Object.freeze({ kind, name, key, columns: outputColumns(query), query, step: undefined });
}

/** A recursive common table expression: `step` gets the element that stands for the rows so far. */
export function recursiveElement(
  name: string,
  query: SelectNode,
  step: (self: FromElement) => SelectNode,
): QueryElement {
  const columns = queryElement('cte', name, query).columns;
  const key = `R${keyed(name)};`;
  const self: QueryElement = Object.freeze({ kind: 'cte', name, key, columns, query: undefined, step: undefined });
  const next = step(self);
  if (outputColumns(next).length !== columns.length) {
    throw new CompileError(`Both parts of the recursive ${name} must select as many columns.`);
  }
  return Object.freeze({ ...self, key: internKey(`r${keyed(name)}${query.key}${next.key}`), query, step: next });
}

/** The public face of an element. */
export function subqueryOf<R, N extends string>(element: FromElement): Subquery<R, N> {
  return Object.freeze({ [FROM]: element, c: attributes(element) }) as unknown as Subquery<R, N>;
}
