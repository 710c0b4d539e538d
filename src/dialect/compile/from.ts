// FROM: tables, aliases, subqueries and common table expressions, and which of them belong to the query around.
import { CompileError } from '../../errors/index.ts';
import type { QueryElement, SelectNode } from '../../sql/expression-node.ts';
import type { FromElement } from '../../sql/from.ts';
import { includesElement, sameElement } from '../../sql/statements/select-factory.ts';
import { at, type CompileContext, type PathStep, type Scope } from './context.ts';
import { expression } from './expression.ts';
import { identifier, tableName } from './identifier.ts';

/** The elements of `select` that are its own: what an enclosing query has as well is taken from there. */
export function ownElements(context: CompileContext, select: SelectNode): readonly FromElement[] {
  const implicit = select.implicit.filter((element) => !isEnclosing(context.scope, element));
  const joined = select.joins.map(({ from }) => from);
  const own = [...select.from, ...implicit, ...joined];
  if (own.length === 0 && select.implicit.length > 0) {
    const names = select.implicit.map(({ name }) => name).join(', ');
    throw new CompileError(
      `The inner query takes ${names} from the query around it, and so has nothing to select from.`,
      {
        hint: 'Name what it selects from with selectFrom(), or use an alias() inside.',
      },
    );
  }
  checkNames(
    own,
    select.implicit.filter((element) => !implicit.includes(element)),
  );
  return own;
}

function isEnclosing(scope: Scope | undefined, element: FromElement): boolean {
  for (let around = scope; around !== undefined; around = around.parent) {
    if (includesElement(around.elements, element)) return true;
  }
  return false;
}

/** Two things of one name in FROM cannot be told apart, nor can one from outside be seen behind one inside. */
export function checkNames(own: readonly FromElement[], outer: readonly FromElement[]): void {
  const names = new Set<string>();
  for (const { name } of [...own, ...outer]) {
    const folded = name.toLowerCase();
    if (names.has(folded)) {
      throw new CompileError(`Two different things in FROM are named ${name}.`, { hint: 'Give one an alias().' });
    }
    names.add(folded);
  }
}

/** Everything from FROM on to the last join; empty where there is nothing. The context's scope is the query's. */
export function fromClause(context: CompileContext, select: SelectNode, own: readonly FromElement[]): string {
  const bases = [...elementsAt(select.from, 'from'), ...elementsAt(select.implicit, 'implicit')].filter(({ element }) =>
    own.includes(element),
  );
  const texts = bases.map(({ element, steps }) => at(context, steps, () => elementText(context, element)));
  if (texts.length === 0) {
    if (select.joins.length > 0) throw new CompileError('A join needs something to join to.');
    return '';
  }
  // In a list with commas the condition of a join would see only its last entry.
  const joins = select.joins.map((join, index) => {
    const from = at(context, ['joins', index, 'from'], () => elementText(context, join.from));
    const on = expression(context, join.on, 'joins', index, 'on');
    return ` ${join.kind === 'left' ? 'LEFT JOIN' : 'JOIN'} ${from} ON ${on}`;
  });
  return ` FROM ${texts.join(joins.length === 0 ? ', ' : ' CROSS JOIN ')}${joins.join('')}`;
}

interface Placed {
  readonly element: FromElement;
  readonly steps: readonly PathStep[];
}

function elementsAt(elements: readonly FromElement[], name: string): readonly Placed[] {
  return elements.map((element, index) => ({ element, steps: [name, index] }));
}

/** An element as FROM names it. The context is at the element. */
export function elementText(context: CompileContext, element: FromElement): string {
  switch (element.kind) {
    case 'table':
      return tableName(context, element);
    case 'alias':
      return `${tableName(context, element)} AS ${identifier(context, element.name)}`;
    case 'subquery': {
      const query = apart(context, element as QueryElement, 'query');
      return `(${query}) AS ${identifier(context, element.name)}`;
    }
    case 'cte':
      declareCommon(context, element as QueryElement);
      return identifier(context, element.name);
  }
}

/** A query in FROM sees nothing of what is beside or around it. */
function apart(context: CompileContext, element: QueryElement, part: 'query' | 'step'): string {
  const { scope, named } = context;
  context.scope = undefined;
  context.named = true;
  const text = at(context, [part], () => context.renderQuery(context, element[part] as SelectNode));
  context.scope = scope;
  context.named = named;
  return text;
}

/** Puts a common table expression before the statement, once. The context is at the element. */
export function declareCommon(context: CompileContext, element: QueryElement): void {
  // Inside its own recursive step it is only a name.
  if (element.query === undefined) return;
  const name = element.name.toLowerCase();
  const known = context.common.find((one) => one.element.name.toLowerCase() === name);
  if (known !== undefined) {
    if (sameElement(known.element, element)) return;
    throw new CompileError(`Two different common table expressions are named ${element.name}.`);
  }
  const entry: CompileContext['common'][number] = { element, sql: undefined };
  context.common.push(entry);
  const query = apart(context, element, 'query');
  const step = element.step === undefined ? '' : ` UNION ALL ${apart(context, element, 'step')}`;
  const columns = element.columns.map((column) => identifier(context, column.name)).join(', ');
  entry.sql = `${identifier(context, element.name)} (${columns}) AS (${query}${step})`;
  // Those it uses were declared meanwhile and come first.
  context.common.splice(context.common.indexOf(entry), 1);
  context.common.push(entry);
}

/** WITH and a space, or nothing. */
export function withClause(context: CompileContext): string {
  if (context.common.length === 0) return '';
  const recursive = context.common.some(({ element }) => element.step !== undefined);
  return `WITH ${recursive ? 'RECURSIVE ' : ''}${context.common.map(({ sql }) => sql).join(', ')} `;
}
